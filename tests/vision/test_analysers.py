"""Built-in analysers on a drawn street and on real clips."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import av
import cv2
import numpy as np
import pytest

from tests.vision.engine_models import MEDIA, moment, needs_media, square
from workers.vision.analysers import AnalyserSettings, analysers
from workers.vision.detections import iou
from workers.vision.geometry import polygons
from workers.vision.outcomes import NotAnalysed
from workers.vision.rules import SceneShapes

WIDTH, HEIGHT = 320, 180
BAG = (0.30, 0.60, 0.08, 0.12)


def street(chance: np.random.Generator) -> np.ndarray:
    """A textured place, 320×180."""
    rough = chance.integers(60, 190, (18, 32, 3), np.uint8)
    return cv2.resize(rough, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def paint(image: np.ndarray, box: tuple[float, float, float, float], colour: tuple[int, int, int]) -> None:
    x, y, w, h = box
    corner = int(x * WIDTH), int(y * HEIGHT)
    cv2.rectangle(image, corner, (int((x + w) * WIDTH), int((y + h) * HEIGHT)), colour, -1)
    cv2.line(image, corner, (int((x + w) * WIDTH), int((y + h) * HEIGHT)), (250, 250, 250), 2)


def film(
    seconds: float, every: float, draw: Callable[[np.ndarray, float], np.ndarray | None]
) -> Iterator[tuple[float, np.ndarray]]:
    """Noisy pictures of the street at 0, every, 2·every …; `draw` adds what happens at that time."""
    chance = np.random.default_rng(5)
    ground = street(chance)
    noises = [chance.normal(0, 3, ground.shape) for _ in range(9)]
    for step in range(int(seconds / every) + 1):
        image = ground.copy()
        changed = draw(image, step * every)
        image = image if changed is None else changed
        yield step * every, np.clip(image + noises[int(chance.integers(9))], 0, 255).astype(np.uint8)


def watch(name: str, pictures, parameters=None, **shapes):
    """(time, detections or the reason why there are none) for each picture."""
    settings = AnalyserSettings(parameters or {}, SceneShapes(**shapes))
    analyser = analysers.get(name)(settings)
    told = []
    for seconds, image in pictures:
        try:
            told.append((seconds, analyser.step(image, moment(seconds))))
        except NotAnalysed as fault:
            told.append((seconds, fault.reason.value))
    return told


def standing(told, dwell: float):
    """Times at which a thing has stood for `dwell`."""
    return [
        (seconds, found)
        for seconds, found in told
        if not isinstance(found, str) and any(each.attributes["standing_s"] >= dwell for each in found)
    ]


def bag_between(start: float, end: float):
    def draw(image, seconds):
        if start <= seconds < end:
            paint(image, BAG, (20, 20, 200))

    return draw


@pytest.mark.parametrize("every", [0.5, 1, 5, 10, 20])
def test_a_bag_is_reported_after_dwell_until_it_goes(every):
    told = watch("left-object", film(400, every, bag_between(100, 300)), {"dwell": 30})
    seen = standing(told, 30)
    assert seen, "never reported"
    first, last = seen[0][0], seen[-1][0]
    assert 130 <= first <= 130 + 2 * every
    assert 300 - every <= last < 300
    assert len(seen) == round((last - first) / every) + 1
    boxes = {found[0].box for _, found in seen}
    assert len(boxes) == 1
    assert {found[0].track for _, found in seen} == {1}
    assert iou(boxes.pop(), BAG) > 0.7


def test_somebody_walking_past_does_not_end_it():
    def draw(image, seconds):
        if seconds >= 30:
            paint(image, BAG, (20, 20, 200))
        if 80 <= seconds <= 110:
            paint(image, ((seconds - 80) / 40, 0.3, 0.12, 0.6), (40, 160, 40))

    told = watch("left-object", film(160, 1, draw), {"dwell": 20})
    seen = standing(told, 20)
    assert [seconds for seconds, _ in seen] == list(range(int(seen[0][0]), 161))
    assert {each.track for _, found in seen for each in found} == {1}


def test_a_walker_is_never_a_left_object():
    def draw(image, seconds):
        paint(image, (seconds % 60 / 70, 0.3, 0.12, 0.6), (40, 160, 40))

    assert not standing(watch("left-object", film(240, 1, draw), {"dwell": 10}), 10)


def test_what_was_taken_away_is_not_reported():
    told = watch("left-object", film(200, 1, bag_between(-1, 60)), {"dwell": 20})
    assert not standing(told, 20)


@pytest.mark.parametrize(("gain", "offset"), [(1.15, 0), (0.85, 5), (1.0, 70), (0.4, 0)])
def test_a_change_of_light_is_not_reported(gain, offset):
    def draw(image, seconds):
        if seconds >= 60:
            return np.clip(image * gain + offset, 0, 255).astype(np.uint8)
        return None

    assert not standing(watch("left-object", film(200, 1, draw), {"dwell": 20}), 20)


def test_a_shadow_is_not_reported():
    def draw(image, seconds):
        if seconds >= 60:
            image[50:110, 100:165] = (image[50:110, 100:165] * 0.6).astype(np.uint8)

    assert not standing(watch("left-object", film(200, 1, draw), {"dwell": 20}), 20)


def test_masks_are_not_looked_at():
    masks = polygons([square(0.25, 0.55, 0.2)])
    told = watch("left-object", film(200, 1, bag_between(50, 300)), {"dwell": 20}, masks=masks)
    assert not standing(told, 20)


def test_it_says_that_it_is_learning():
    told = watch("left-object", film(10, 1, bag_between(99, 100)))
    assert [found for _, found in told[:2]] == ["learning", "learning"]
    assert told[-1][1] == []


def test_movers_are_seen_while_they_move():
    def draw(image, seconds):
        if 20 <= seconds <= 40:
            paint(image, ((seconds - 20) / 25, 0.3, 0.12, 0.6), (40, 160, 40))

    told = watch("intrusion", film(60, 1, draw))
    seen = [seconds for seconds, found in told if not isinstance(found, str) and found]
    assert seen == [float(second) for second in range(20, 41)]
    at_30 = dict(told)[30.0][0]
    assert iou(at_30.box, (0.4, 0.3, 0.12, 0.6)) > 0.7


def test_a_dark_lens_is_a_finding_of_camera_health():
    def draw(image, seconds):
        return image if seconds < 20 else np.zeros_like(image)

    told = watch("camera-health", film(40, 1, draw))
    assert all(found == [] for seconds, found in told if 5 < seconds < 20)
    assert [each.label for each in told[-1][1]] == ["black"]


def test_camera_health_waits_as_long_as_it_is_told():
    told = watch("camera-health", film(40, 1, lambda image, seconds: np.zeros_like(image)), {"confirm": 20})
    assert min(seconds for seconds, found in told if found) == 20


def test_a_picture_at_half_size_does_not_start_learning_again():
    pictures = [
        (seconds, cv2.resize(image, (299, 169) if seconds % 2 else (598, 337)))
        for seconds, image in film(30, 1, bag_between(99, 100))
    ]
    told = watch("left-object", pictures)
    assert [found for seconds, found in told if seconds > 3] == [[]] * 27


def clip(name: str, every: float) -> Iterator[tuple[float, np.ndarray]]:
    due = 0.0
    with av.open(str(MEDIA / "videos" / name)) as container:
        for each in container.decode(video=0):
            if each.time is not None and each.time >= due:
                due = each.time + every - 1e-3
                yield each.time, each.to_ndarray(format="bgr24")


@needs_media
@pytest.mark.parametrize(
    ("name", "every"),
    [
        ("ir_to_day_switch.mp4", 0.2),
        ("ir_to_day_switch.mp4", 5),
        ("bottles_negative.mp4", 0.2),
        ("bottles_negative.mp4", 5),
        ("one_by_one_persons.mp4", 1),
        ("man_with_broom.mp4", 1),
    ],
)
def test_no_left_object_in_real_clips_without_one(name, every):
    assert not standing(watch("left-object", clip(name, every), {"dwell": 30}), 30)


@needs_media
def test_the_infrared_switch_is_no_intrusion_afterwards():
    told = watch("intrusion", clip("ir_to_day_switch.mp4", 0.5))
    assert not [seconds for seconds, found in told if seconds > 8.5 and not isinstance(found, str) and found]


@needs_media
def test_people_are_movers_when_the_truth_says_so():
    told = watch("intrusion", clip("one_by_one_persons.mp4", 1.0))
    times = {round(seconds) for seconds, found in told if not isinstance(found, str) and found}
    assert {8, 25, 52, 77, 95, 126} <= times
    assert not times & {3, 4, 5, 47, 48, 72, 73, 90, 91}
