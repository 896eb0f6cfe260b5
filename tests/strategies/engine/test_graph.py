"""Which graphs can run, and what is said of those that cannot."""

from __future__ import annotations

from typing import Any

import pytest

from apps.strategies.engine.default import default_graph
from apps.strategies.engine.graph import GraphError, check_graph, compile_graph
from apps.strategies.engine.run import run
from apps.strategies.engine.values import Raise, Stop
from tests.strategies.engine.inputs import Memory, line, raw, target


def test_the_default_graph_runs() -> None:
    graph = compile_graph(default_graph())
    assert isinstance(run(graph, raw(), Memory()).verdict, Raise)


def _changed(**changes: Any) -> dict[str, Any]:
    return {**line(("confidence@1", {"min": 0.5})), **changes}


def _nodes(*extra: dict[str, Any]) -> list[dict[str, Any]]:
    return [*line(("confidence@1", {"min": 0.5}))["nodes"], *extra]


def _edges(*extra: dict[str, str]) -> list[dict[str, str]]:
    return [*line(("confidence@1", {"min": 0.5}))["edges"], *extra]


@pytest.mark.parametrize(
    ("graph", "node", "code"),
    [
        (None, "", "shape"),
        ({}, "", "shape"),
        (_changed(schema="vantage.strategy/v2"), "", "shape"),
        (_changed(nodes=[{"id": "a"}], edges=[]), "a", "shape"),
        (_changed(nodes=_nodes({"id": "a b", "component": "region@1"})), "a b", "shape"),
        (_changed(nodes=_nodes({"id": "x", "component": "region@9"})), "x", "unknown_component"),
        (_changed(nodes=_nodes({"id": "n1", "component": "region@1"})), "n1", "twice"),
        (
            _changed(nodes=[{"id": "n1", "component": "confidence@1", "params": {"min": 2}}]),
            "n1",
            "parameter",
        ),
        (
            _changed(nodes=[{"id": "n1", "component": "confidence@1", "params": {"mni": 1}}]),
            "n1",
            "parameter",
        ),
        (_changed(edges=_edges({"from": "n9:out", "to": "n1:in"})), "", "edge_to_nowhere"),
        (_changed(edges=_edges({"from": "n0:up", "to": "n1:in"})), "n0", "unknown_port"),
        (_changed(edges=_edges({"from": "n2:out", "to": "n1:in"})), "n2", "unknown_port"),
        (_changed(edges=_edges({"from": "n0:out", "to": "n1:in"})), "n0", "edge_twice"),
        (_changed(edges=_edges({"from": "n1:out", "to": "n1:in"})), "n1", "loop"),
        (_changed(nodes=[], edges=[]), "", "no_input"),
        (_changed(nodes=_nodes({"id": "x", "component": "region@1"})), "x", "unreachable"),
        (
            _changed(
                nodes=_nodes({"id": "x", "component": "region@1"}),
                edges=_edges({"from": "n0:out", "to": "x:in"}),
            ),
            "x",
            "dead_end",
        ),
    ],
)
def test_problems_are_named_with_their_node(graph: Any, node: str, code: str) -> None:
    problems = check_graph(graph)

    assert (node, code) in [(problem.node, problem.code) for problem in problems]
    assert all(problem.text for problem in problems)
    with pytest.raises(GraphError):
        compile_graph(graph)


def test_a_graph_with_thousands_of_roads_is_refused() -> None:
    nodes = [{"id": "in", "component": "event-in@1"}]
    edges: list[dict[str, str]] = []
    before = ["in"]
    for stage in range(8):
        names = [f"s{stage}a", f"s{stage}b"]
        nodes += [{"id": name, "component": "region@1"} for name in names]
        edges += [{"from": f"{start}:out", "to": f"{end}:in"} for start in before for end in names]
        before = names
    nodes.append({"id": "out", "component": "event-out@1"})
    edges += [{"from": f"{start}:out", "to": "out:in"} for start in before]
    graph = {"schema": "vantage.strategy/v1", "nodes": nodes, "edges": edges}

    assert [problem.code for problem in check_graph(graph)] == ["too_many_roads"]


def test_the_first_road_that_leads_out_decides() -> None:
    graph = {
        "schema": "vantage.strategy/v1",
        "nodes": [
            {"id": "in", "component": "event-in@1"},
            {"id": "strict", "component": "confidence@1", "params": {"min": 0.9}},
            {"id": "large", "component": "min-size@1", "params": {"area": 0.2}},
            {"id": "out", "component": "event-out@1"},
        ],
        "edges": [
            {"from": "in:out", "to": "strict:in"},
            {"from": "in:out", "to": "large:in"},
            {"from": "strict:out", "to": "out:in"},
            {"from": "large:out", "to": "out:in"},
        ],
    }
    compiled = compile_graph(graph)
    large, small = (0.1, 0.1, 0.5, 0.5), (0.1, 0.1, 0.1, 0.1)

    assert isinstance(run(compiled, raw(0, target(large, 0.5)), Memory()).verdict, Raise)
    assert isinstance(run(compiled, raw(0, target(small, 0.95)), Memory()).verdict, Raise)
    assert run(compiled, raw(0, target(small, 0.5)), Memory()).verdict == Stop("min-size@1", "too_small")
