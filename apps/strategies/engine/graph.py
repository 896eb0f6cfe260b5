"""Checking a strategy graph (`vantage.strategy/v1`) and compiling it once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator

from apps.strategies.engine.base import Component
from apps.strategies.engine.registry import COMPONENTS

SCHEMA_NAME = "vantage.strategy/v1"
MAX_NODES = 200
MAX_ROADS = 64
SHAPE: dict[str, Any] = {
    "type": "object",
    "required": ["schema", "nodes", "edges"],
    "additionalProperties": False,
    "properties": {
        "schema": {"const": SCHEMA_NAME},
        "nodes": {
            "type": "array",
            "maxItems": MAX_NODES,
            "items": {
                "type": "object",
                "required": ["id", "component"],
                "additionalProperties": False,
                "properties": {
                    "id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,40}$"},
                    "component": {"type": "string"},
                    "params": {"type": "object"},
                    "at": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
                },
            },
        },
        "edges": {
            "type": "array",
            "maxItems": MAX_NODES * 4,
            "items": {
                "type": "object",
                "required": ["from", "to"],
                "additionalProperties": False,
                "properties": {"from": {"type": "string"}, "to": {"type": "string"}},
            },
        },
    },
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong. `node` is empty for the graph as a whole; `code` is stable, `text` is for people (English)."""

    node: str
    code: str
    text: str

    def as_dict(self) -> dict[str, str]:
        """For JSON answers."""
        return {"node": self.node, "code": self.code, "text": self.text}


class GraphError(ValueError):
    """The graph cannot run; `problems` says why, per node."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{item.node or 'graph'}: {item.text}" for item in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Node:
    """A node with its component and complete parameters."""

    id: str
    component: Component
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A checked graph: its nodes, its inputs, and where each node leads (edges in the order they were drawn)."""

    nodes: Mapping[str, Node]
    inputs: tuple[str, ...]
    following: Mapping[str, tuple[str, ...]]


def check_graph(graph: Any) -> list[Problem]:
    """All problems of a graph document; an empty list means that it can run."""
    shape = [
        Problem(_node_of(graph, error.absolute_path), "shape", error.message)
        for error in Draft202012Validator(SHAPE).iter_errors(graph)
    ]
    if shape:
        return shape
    problems = [*_node_problems(graph["nodes"]), *_edge_problems(graph)]
    return problems or _road_problems(graph)


def compile_graph(graph: Any) -> Compiled:
    """The graph ready to run; raises GraphError with every problem."""
    problems = check_graph(graph)
    if problems:
        raise GraphError(problems)
    nodes = {}
    for row in graph["nodes"]:
        component = COMPONENTS[row["component"]]
        nodes[row["id"]] = Node(row["id"], component, component.with_defaults(row.get("params", {})))
    following: dict[str, tuple[str, ...]] = dict.fromkeys(nodes, ())
    for edge in graph["edges"]:
        start, end = edge["from"].partition(":")[0], edge["to"].partition(":")[0]
        following[start] += (end,)
    inputs = tuple(name for name, node in nodes.items() if not node.component.inputs)
    return Compiled(nodes, inputs, following)


def _node_of(graph: Any, path: Any) -> str:
    parts = list(path)
    if len(parts) >= 2 and parts[0] == "nodes" and isinstance(graph["nodes"][parts[1]], dict):
        return str(graph["nodes"][parts[1]].get("id", parts[1]))
    return ""


def _node_problems(nodes: list[dict[str, Any]]) -> list[Problem]:
    problems: list[Problem] = []
    seen: set[str] = set()
    for row in nodes:
        name = row["id"]
        if name in seen:
            problems.append(Problem(name, "twice", "Two nodes have this id."))
        seen.add(name)
        component = COMPONENTS.get(row["component"])
        if component is None:
            known = ", ".join(sorted(COMPONENTS))
            problems.append(
                Problem(
                    name,
                    "unknown_component",
                    f"There is no component {row['component']}; there are: {known}.",
                )
            )
            continue
        for error in Draft202012Validator(component.schema).iter_errors(row.get("params", {})):
            where = ".".join(str(part) for part in error.absolute_path)
            problems.append(
                Problem(name, "parameter", f"{where}: {error.message}" if where else error.message)
            )
    return problems


def _edge_problems(graph: dict[str, Any]) -> list[Problem]:
    components = {row["id"]: COMPONENTS.get(row["component"]) for row in graph["nodes"]}
    problems: list[Problem] = []
    taken: set[tuple[str, str]] = set()
    for edge in graph["edges"]:
        if (edge["from"], edge["to"]) in taken:
            problems.append(
                Problem(edge["from"].partition(":")[0], "edge_twice", "This edge is drawn twice.")
            )
        taken.add((edge["from"], edge["to"]))
        for end, side in (("from", "outputs"), ("to", "inputs")):
            name, _colon, port = edge[end].partition(":")
            if name not in components:
                problems.append(
                    Problem("", "edge_to_nowhere", f"An edge names a node {name!r} that is not there.")
                )
                continue
            component = components[name]
            ports = getattr(component, side) if component else (port,)
            if port not in ports:
                problems.append(
                    Problem(name, "unknown_port", f"This node has no port {port!r} among its {side}.")
                )
    return problems


def _road_problems(graph: dict[str, Any]) -> list[Problem]:
    """Inputs, outputs, loops, and nodes no raw event can reach or leave."""
    components = {row["id"]: COMPONENTS[row["component"]] for row in graph["nodes"]}
    ahead: dict[str, list[str]] = {name: [] for name in components}
    back: dict[str, list[str]] = {name: [] for name in components}
    for edge in graph["edges"]:
        start, end = edge["from"].partition(":")[0], edge["to"].partition(":")[0]
        ahead[start].append(end)
        back[end].append(start)
    inputs = [name for name, component in components.items() if not component.inputs]
    outputs = [name for name, component in components.items() if not component.outputs]
    problems = []
    if not inputs:
        problems.append(Problem("", "no_input", "The graph needs an event-in node."))
    if not outputs:
        problems.append(Problem("", "no_output", "The graph needs an event-out node."))
    if problems:
        return problems
    loop = _loop(ahead)
    if loop:
        return [Problem(loop, "loop", "This node leads back to itself.")]
    reached, leaving = _reach(inputs, ahead), _reach(outputs, back)
    for name in components:
        if name not in reached:
            problems.append(Problem(name, "unreachable", "No event-in node leads here."))
        elif name not in leaving:
            problems.append(Problem(name, "dead_end", "No road leads from here to an event-out node."))
    if not problems and sum(_roads(name, ahead, {}) for name in inputs) > MAX_ROADS:
        problems.append(Problem("", "too_many_roads", f"More than {MAX_ROADS} roads lead through the graph."))
    return problems


def _roads(name: str, ahead: dict[str, list[str]], known: dict[str, int]) -> int:
    """How many roads lead from a node to an end; the graph has no loop and at most MAX_NODES nodes."""
    if name not in known:
        known[name] = sum(_roads(end, ahead, known) for end in ahead[name]) or 1
    return known[name]


def _reach(starts: list[str], edges: dict[str, list[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += edges[name]
    return seen


def _loop(ahead: dict[str, list[str]]) -> str:
    """A node of a loop, or an empty text (Kahn's algorithm)."""
    incoming = dict.fromkeys(ahead, 0)
    for ends in ahead.values():
        for end in ends:
            incoming[end] += 1
    free = [name for name, count in incoming.items() if count == 0]
    while free:
        for end in ahead[free.pop()]:
            incoming[end] -= 1
            if incoming[end] == 0:
                free.append(end)
    return next((name for name, count in incoming.items() if count), "")
