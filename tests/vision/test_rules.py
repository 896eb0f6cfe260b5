"""Rules as tables."""

from __future__ import annotations

import pytest

from tests.vision.engine_models import moment, square
from workers.vision.detections import Detection
from workers.vision.geometry import GeometryError, Polygon, polygons
from workers.vision.outcomes import NotAnalysed
from workers.vision.rules import RuleContext, SceneShapes, rules
from workers.vision.rules.base import candidates


def thing(x=0.4, y=0.4, w=0.2, h=0.2, label="bag", score=0.9, **more):
    return Detection(label, score, (x, y, w, h), **more)


def judge(kind, detections, *, regions=None, masks=None, options=None, parameters=None, memory=None, at=0.0):
    context = RuleContext(
        SceneShapes(polygons(regions), (), polygons(masks)),
        options or {},
        parameters or {},
        moment(at),
        {} if memory is None else memory,
    )
    return rules.get(kind).evaluate(candidates(detections, ["bag"], context), context)


@pytest.mark.parametrize(
    ("detections", "settings", "hits"),
    [
        ([thing()], {}, 1),
        ([], {}, 0),
        ([thing(label="cat")], {}, 0),
        ([thing(score=0.34)], {}, 0),
        ([thing(score=0.34)], {"parameters": {"confidence": 0.3}}, 1),
        ([thing(score=0.5)], {"options": {"confidence": 0.6}}, 0),
        ([thing(w=0.01)], {"parameters": {"min_size": 0.02}}, 0),
        ([thing()], {"options": {"min_targets": 2}}, 0),
        ([thing(), thing(0.7)], {"options": {"min_targets": 2}}, 1),
        ([thing()], {"regions": [square(0, 0, 0.3)]}, 0),
        ([thing()], {"regions": [square(0, 0, 0.3), square(0.45, 0.45, 0.2)]}, 1),
        ([thing()], {"regions": None}, 1),
        ([thing()], {"masks": [square(0.4, 0.4, 0.3)]}, 0),
        ([thing()], {"masks": [square(0, 0, 0.3)]}, 1),
    ],
)
def test_presence(detections, settings, hits):
    assert len(judge("presence", detections, **settings)) == hits


def test_presence_is_one_hit_each_is_one_per_target():
    seen = [thing(0.1), thing(0.5), thing(0.7)]
    assert [len(targets) for targets in judge("presence", seen)] == [3]
    assert [len(targets) for targets in judge("each", seen)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("box", "hits"),
    [
        ((0.4, 0.2, 0.2, 0.2), 0),
        ((0.4, 0.2, 0.2, 0.4), 1),
        ((0.4, 0.7, 0.2, 0.3), 0),
        ((0.0, 0.4, 0.2, 0.2), 0),
    ],
)
def test_intrusion_asks_where_it_stands(box, hits):
    assert len(judge("intrusion", [thing(*box)], regions=[square(0.4, 0.5, 0.3)])) == hits


def test_intrusion_without_a_region_is_not_analysed():
    with pytest.raises(NotAnalysed, match="region"):
        judge("intrusion", [thing()])


def test_left_object_is_reported_from_dwell_on_with_a_stable_box():
    memory: dict = {}
    hits = [
        judge("left_object", [thing(0.4 + at / 10000)], memory=memory, at=at, parameters={"dwell": 30})
        for at in (0, 10, 20, 30, 40)
    ]
    assert [len(each) for each in hits] == [0, 0, 0, 1, 1]
    first, second = hits[3][0][0], hits[4][0][0]
    assert first.box == second.box == (0.4, 0.4, 0.2, 0.2)
    assert first.track == second.track
    assert second.attributes["standing_s"] == 40


@pytest.mark.parametrize(
    ("places", "hits"),
    [
        ([0.1, 0.3, 0.5, 0.7], [0, 0, 0, 0]),  # it moves on
        ([0.1, None, 0.1, 0.1], [0, 0, 0, 1]),  # missed once
        ([0.1, 0.1, None, 0.1], [0, 0, 0, 1]),
    ],
)
def test_left_object_follows(places, hits):
    memory: dict = {}
    found = [
        judge(
            "left_object",
            [thing(x)] if x is not None else [],
            memory=memory,
            at=index * 10,
            parameters={"dwell": 30},
        )
        for index, x in enumerate(places)
    ]
    assert [len(each) for each in found] == hits


def test_left_object_that_was_gone_starts_anew():
    memory: dict = {}
    options = {"dwell": 10, "patience": 15}
    found = [
        len(judge("left_object", seen, memory=memory, at=at, options=options))
        for at, seen in [(0, [thing()]), (10, [thing()]), (40, []), (50, [thing()]), (60, [thing()])]
    ]
    assert found == [0, 1, 0, 0, 1]


def test_left_object_once_reports_a_single_time():
    memory: dict = {}
    options = {"dwell": 10, "once": True}
    found = [
        len(judge("left_object", [thing()], memory=memory, at=at, options=options)) for at in (0, 10, 20, 30)
    ]
    assert found == [0, 1, 0, 0]


def test_a_hole_is_outside():
    ring = square(0.1, 0.1, 0.8)
    ring["coordinates"].append(square(0.4, 0.4, 0.2)["coordinates"][0])
    shape = Polygon.from_dict(ring)
    assert shape.contains((0.2, 0.2))
    assert not shape.contains((0.5, 0.5))


@pytest.mark.parametrize(
    "region",
    [
        {"type": "Point", "coordinates": [0, 0]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [9, 1], [1, 0]]]},
        {"type": "Polygon", "space": "pixels", "coordinates": [[[0, 0], [1, 1], [1, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, "a"], [1, 1], [1, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0]] * 3000]},
        "Polygon",
    ],
)
def test_a_region_that_is_none_is_refused(region):
    with pytest.raises(GeometryError):
        Polygon.from_dict(region)
