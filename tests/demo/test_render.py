"""The renderer: the same every time, true boxes, happenings where the clips say they are."""

from __future__ import annotations

import numpy as np
import pytest

from demo.render.actors import LABELS, Route, ramp
from demo.render.camera import StreetCamera
from demo.render.scene import Scene
from demo.render.stories import BY_NAME, FIRST, STORIES
from demo.render.story import Story


def labels_at(story: Story, scene: Scene, time: float) -> set[str]:
    return {truth.label for truth in scene.frame(time)[1]}


def test_a_dozen_clips_of_60_to_90_seconds_the_first_events_first() -> None:
    assert len(STORIES) == 12
    assert all(60 <= story.seconds <= 90 for story in STORIES)
    assert FIRST == ("bag_left", "garbage_pile", "street_stall")
    assert [story.name for story in STORIES if story.offline] == ["depot_gate"]


def test_equal_scenes_paint_equal_frames() -> None:
    first, second = (BY_NAME["garbage_pile"].build(1) for _ in range(2))
    for time in (0.0, 9.5, 31.25):
        (image, truth), (other, again) = first.frame(time, 7), second.frame(time, 7)
        assert np.array_equal(image, other)
        assert truth == again


def test_what_stands_still_is_painted_alike_from_its_kept_strokes() -> None:
    fresh, used = BY_NAME["street_stall"].build(1), BY_NAME["street_stall"].build(1)
    used.frame(30.0, 1)
    assert np.array_equal(fresh.frame(31.0, 2)[0], used.frame(31.0, 2)[0])


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_every_frame_has_the_size_and_boxes_inside_it(story: Story) -> None:
    scene = story.build(1)
    for time in (1.0, 21.0, 47.0):
        image, truths = scene.frame(time)
        assert image.shape == (360, 640, 3)
        assert image.dtype == np.uint8
        for truth in truths:
            x, y, w, h = truth.box
            assert truth.label in LABELS
            assert 0 <= x <= 1
            assert 0 <= y <= 1
            assert w > 0
            assert h > 0
            assert x + w <= 1 + 1e-6
            assert y + h <= 1 + 1e-6


@pytest.mark.parametrize(
    ("name", "label", "before", "during", "after"),
    [
        ("bag_left", "bag", 8.0, 30.0, 56.0),
        ("garbage_pile", "garbage", 5.0, 30.0, 70.0),
        ("road_water", "water", 4.0, 30.0, 71.0),
        ("street_stall", "stall", 0.2, 30.0, 71.8),
    ],
)
def test_the_thing_is_there_only_in_its_time(
    name: str, label: str, before: float, during: float, after: float
) -> None:
    story = BY_NAME[name]
    scene = story.build(1)
    assert label not in labels_at(story, scene, before)
    assert label in labels_at(story, scene, during)
    assert label not in labels_at(story, scene, after)
    assert story.happenings[0].start <= 25
    assert story.happenings[0].end <= story.seconds


def test_the_bag_stays_where_it_was_put() -> None:
    scene = BY_NAME["bag_left"].build(1)
    boxes = [next(t.box for t in scene.frame(time)[1] if t.label == "bag") for time in (20.0, 35.0, 50.0)]
    assert boxes[0] == boxes[1] == boxes[2]


def test_the_wanderer_stands_on_the_road_while_the_story_says_so() -> None:
    story = BY_NAME["intrusion"]
    street = story.build(1).backdrop.street
    wanderer = story.build(1).actors[0]
    for time in (15.0, 22.0, 28.0):
        pose = wanderer.pose(time)
        assert pose is not None
        assert 0 < pose.v < street.road


def test_the_quiet_park_is_empty() -> None:
    scene = BY_NAME["quiet_park"].build(1)
    assert all(scene.frame(time)[1] == [] for time in (0.0, 20.0, 59.0))


def test_dark_and_frozen_cameras_do_what_they_say() -> None:
    dark = BY_NAME["goes_dark"]
    frames = [image for index, (image, _) in enumerate(dark.frames()) if index in (19 * 12, 30 * 12)]
    assert frames[0].mean() > 40
    assert np.median(frames[1]) < 8
    frozen = BY_NAME["freezes"]
    kept = [image for index, (image, _) in enumerate(frozen.frames()) if index in (25 * 12, 60 * 12, 68 * 12)]
    assert np.array_equal(kept[0], kept[1])
    assert not np.array_equal(kept[1], kept[2])


def test_zones_are_closed_rings_in_the_picture() -> None:
    for story in STORIES:
        zones = story.polygons()
        assert set(zones) == set(story.zones)
        for ring in zones.values():
            assert ring[0] == ring[-1]
            assert len(ring) >= 4
            assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in ring)


def test_a_route_wraps_round_the_loop_without_a_jump() -> None:
    route = Route(((55.0, 0.0, 0.0), (65.0, 10.0, 0.0)), 60.0)
    late, early = route.at(59.99), route.at(0.0)
    assert late is not None
    assert early is not None
    assert early.u == pytest.approx(5.0)
    assert late.u == pytest.approx(early.u, abs=0.02)
    assert route.at(10.0) is None


def test_projection_and_ground_agree() -> None:
    camera = StreetCamera(v=-6, height=5.5, yaw=70, pitch=20)
    u, v = camera.ground(0.3, 0.8)
    x, y = camera.project(np.array([[u, v, 0.0]]))[0]
    assert x / 640 == pytest.approx(0.3)
    assert y / 360 == pytest.approx(0.8)
    with pytest.raises(ValueError, match="horizon"):
        StreetCamera(v=-6, height=5.5, yaw=70, pitch=12).ground(0.5, 0.0)


@pytest.mark.parametrize(("time", "share"), [(0, 0.0), (5, 0.5), (20, 1.0)])
def test_ramp(time: float, share: float) -> None:
    assert ramp(time, 0, 10) == share
