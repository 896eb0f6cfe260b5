"""Small builders of what goes through a graph, and a context that remembers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from apps.strategies.engine.graph import Compiled, compile_graph
from apps.strategies.engine.run import run
from apps.strategies.engine.values import Box, MergeInto, OpenMain, Outcome, Raise, RawInput, Sighting, Target

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
CAMERA = uuid4()
BOX: Box = (0.4, 0.4, 0.2, 0.2)


def target(box: Box = BOX, score: float = 0.9, **attributes: Any) -> Target:
    return Target("bag", score, box, attributes=attributes)


def raw(seconds: float = 0, *targets: Target, **fields: Any) -> RawInput:
    found = targets or (target(),)
    values: dict[str, Any] = {"code": "0101", "regions": (), "interval_s": 1.0, **fields}
    return RawInput(
        id=uuid4(),
        camera=CAMERA,
        preset=0,
        time=NOON + timedelta(seconds=seconds),
        targets=found,
        score=max(item.score for item in found),
        **values,
    )


def line(*nodes: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """A graph event-in → nodes → event-out; nodes are (component, params)."""
    rows = [("event-in@1", {}), *nodes, ("event-out@1", {})]
    return {
        "schema": "vantage.strategy/v1",
        "nodes": [
            {"id": f"n{i}", "component": name, "params": params} for i, (name, params) in enumerate(rows)
        ],
        "edges": [{"from": f"n{i}:out", "to": f"n{i + 1}:in"} for i in range(len(rows) - 1)],
    }


class Memory:
    """A context over what its own runs raised."""

    def __init__(self) -> None:
        self.mains: dict[UUID, OpenMain] = {}

    def open_main(self, raw: RawInput) -> Sequence[OpenMain]:
        return sorted(self.mains.values(), key=lambda main: main.last_seen)

    def sightings(self, raw: RawInput, since: datetime) -> Sequence[Sighting]:
        return []

    def feed(self, graph: Compiled, item: RawInput) -> Outcome:
        """Run and remember what was raised or joined."""
        outcome = run(graph, item, self)
        boxes = [found.box for found in item.targets]
        if isinstance(outcome.verdict, Raise):
            self.mains[item.id] = OpenMain(item.id, item.time, item.time, boxes)
        elif isinstance(outcome.verdict, MergeInto):
            main = self.mains[outcome.verdict.event_id]
            self.mains[main.id] = OpenMain(
                main.id, min(main.first_seen, item.time), max(main.last_seen, item.time), boxes
            )
        return outcome


def outcome_of(graph: dict[str, Any], item: RawInput) -> Outcome:
    """One run without anything before it."""
    return run(compile_graph(graph), item, Memory())
