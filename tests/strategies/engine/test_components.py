"""Each component: what passes, what stops and why."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from apps.strategies.engine.components.place import overlap
from apps.strategies.engine.components.region import is_inside
from apps.strategies.engine.registry import COMPONENTS
from apps.strategies.engine.values import RawInput, Stop, Target
from tests.strategies.engine.inputs import line, outcome_of, raw, target

SQUARE = [[0.0, 0.5], [0.5, 0.5], [0.5, 1.0], [0.0, 1.0]]
RING = tuple((x, y) for x, y in SQUARE)
LEFT = (0.1, 0.6, 0.1, 0.1)
RIGHT = (0.7, 0.6, 0.1, 0.1)


@pytest.mark.parametrize(
    ("component", "params", "item", "reason"),
    [
        ("event-in@1", {}, raw(), None),
        ("event-in@1", {"codes": ["0101"]}, raw(), None),
        ("event-in@1", {"codes": ["0202"]}, raw(), "other_event_type"),
        ("event-in@1", {"codes": []}, raw(), "other_event_type"),
        ("confidence@1", {"min": 0.5}, raw(0, target(score=0.5)), None),
        ("confidence@1", {"min": 0.5}, raw(0, target(score=0.49)), "low_confidence"),
        ("confidence@1", {"min": 0.5}, raw(0, target(score=0.4), target(score=0.6)), None),
        ("confidence@1", {}, raw(0, target(score=0.29)), "low_confidence"),
        ("min-size@1", {}, raw(0, target((0, 0, 0, 0))), None),
        ("min-size@1", {"width": 0.2}, raw(0, target((0, 0, 0.2, 0.01))), None),
        ("min-size@1", {"width": 0.2}, raw(0, target((0, 0, 0.19, 1))), "too_small"),
        ("min-size@1", {"height": 0.2}, raw(0, target((0, 0, 1, 0.19))), "too_small"),
        ("min-size@1", {"area": 0.1}, raw(0, target((0, 0, 0.3, 0.3))), "too_small"),
        ("min-size@1", {"area": 0.09}, raw(0, target((0, 0, 0.31, 0.3))), None),
        ("region@1", {}, raw(0, target(RIGHT)), None),
        ("region@1", {}, raw(0, target(LEFT), regions=(RING,)), None),
        ("region@1", {}, raw(0, target(RIGHT), regions=(RING,)), "outside_region"),
        ("region@1", {"polygons": [SQUARE]}, raw(0, target(RIGHT)), "outside_region"),
        ("region@1", {"polygons": []}, raw(0, target(LEFT), regions=(RING,)), "outside_region"),
        ("region@1", {"polygons": [SQUARE]}, raw(0, target(RIGHT), target(LEFT)), None),
    ],
)
def test_what_stops(component: str, params: dict[str, Any], item: RawInput, reason: str | None) -> None:
    graph = line() if component == "event-in@1" else line((component, params))
    if component == "event-in@1":
        graph["nodes"][0]["params"] = params

    verdict = outcome_of(graph, item).verdict

    if reason is None:
        assert not isinstance(verdict, Stop)
    else:
        assert verdict == Stop(component, reason)
        assert reason in COMPONENTS[component].reasons


def test_a_hit_without_targets_is_judged_by_its_own_score() -> None:
    bare = RawInput(**{**_fields(raw()), "targets": (), "score": 0.2})
    graph = line(
        ("min-size@1", {"area": 0.5}), ("region@1", {"polygons": [SQUARE]}), ("confidence@1", {"min": 0.3})
    )
    assert outcome_of(graph, bare).verdict == Stop("confidence@1", "low_confidence")


def test_dropped_targets_do_not_count_further_on() -> None:
    small_but_sure = target((0.1, 0.6, 0.01, 0.01), 0.9)
    large_but_unsure = target((0.1, 0.6, 0.5, 0.3), 0.2)
    graph = line(("confidence@1", {"min": 0.5}), ("min-size@1", {"width": 0.1}))
    assert outcome_of(graph, raw(0, small_but_sure, large_but_unsure)).verdict == Stop(
        "min-size@1", "too_small"
    )


def test_the_steps_say_what_each_node_saw() -> None:
    outcome = outcome_of(line(("confidence@1", {"min": 0.5}), ("region@1", {})), raw(0, target(score=0.4)))
    rows = [step.as_dict() for step in outcome.steps]
    assert [(row["node"], row["verdict"], row["reason"]) for row in rows] == [
        ("n0", "passed", ""),
        ("n1", "stopped", "low_confidence"),
    ]
    assert rows[1]["detail"] == {"score": 0.4, "min": 0.5, "kept": 0, "of": 1}
    assert all(row["us"] >= 0 for row in rows)


@pytest.mark.parametrize(
    ("point", "inside"),
    [((0.2, 0.7), True), ((0.5, 0.7), True), ((0.0, 0.5), True), ((0.51, 0.7), False), ((0.2, 0.49), False)],
)
def test_a_point_in_a_polygon_or_on_its_edge(point: tuple[float, float], inside: bool) -> None:
    assert is_inside(point, RING) is inside


@pytest.mark.parametrize(
    ("other", "share"),
    [
        ((0.0, 0.0, 0.2, 0.2), 1.0),
        ((0.1, 0.0, 0.2, 0.2), 1 / 3),
        ((0.2, 0.0, 0.2, 0.2), 0.0),
        ((0, 0, 0, 0), 0.0),
    ],
)
def test_overlap_of_boxes(other: tuple[float, float, float, float], share: float) -> None:
    assert overlap((0.0, 0.0, 0.2, 0.2), other) == pytest.approx(share)


def test_every_component_says_what_it_is_in_both_languages() -> None:
    for name, component in COMPONENTS.items():
        assert name == component.name
        assert component.title.zh
        assert component.title.en
        assert all(words.zh and words.en for words in component.reasons.values())
        Draft202012Validator.check_schema(component.schema)
        for parameter in component.parameters.values():
            assert parameter["title"] == parameter["x-title"]["en"]
            assert parameter["x-title"]["zh"]
        assert not list(Draft202012Validator(component.schema).iter_errors(component.with_defaults({})))


def _fields(item: RawInput) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__slots__}


def test_bottom_centre() -> None:
    assert Target("x", 1, (0.1, 0.2, 0.4, 0.4)).bottom_centre == pytest.approx((0.3, 0.6))
