"""The difference gate by itself and in the engine."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.vision.engine_models import jpeg, moment, spec
from workers.vision.frames import Frame
from workers.vision.inference import Engine, FrameRef
from workers.vision.unchanged import ChangeGate, small_grey

SCENE = cv2.resize(np.random.default_rng(1).integers(60, 180, (18, 32, 3), np.uint8), (640, 360))


def view(
    number: int, *, light: float = 0.0, thing: tuple[int, int] | None = None, noise: float = 3.0
) -> np.ndarray:
    """The scene with the noise of a sensor; thing: height of a person, and how much darker than the ground."""
    image = SCENE + np.random.default_rng(100 + number).normal(light, noise, SCENE.shape)
    if thing is not None:
        height, darker = thing
        image[200 : 200 + height, 300 : 300 + height // 3] -= darker
    return np.clip(image, 0, 255).astype(np.uint8)


def settled(gate: ChangeGate, count: int = 20, **how: float) -> int:
    """Feed a still scene; how many looks it took."""
    looks = 0
    for number in range(count):
        grey = small_grey(view(number, **how))
        if not gate.may_skip(grey):
            looks += 1
            gate.looked(grey, is_clear=True)
    return looks


@pytest.mark.parametrize("noise", [0.0, 3.0, 10.0])
def test_a_still_scene_is_looked_at_once_in_every(noise: float) -> None:
    gate = ChangeGate(every=10)
    settled(gate, 20, noise=noise)
    assert settled(gate, 100, noise=noise) <= 15


@pytest.mark.parametrize(("height", "darker"), [(36, 40), (24, 60), (60, 25)])
def test_a_person_opens_the_gate(height: int, darker: int) -> None:
    gate = ChangeGate(every=1000)
    settled(gate, 30)
    assert not gate.may_skip(small_grey(view(99, thing=(height, darker))))


def test_what_was_found_is_looked_at_again_until_it_has_gone() -> None:
    gate = ChangeGate(every=1000)
    settled(gate, 30)
    for number in range(5):
        grey = small_grey(view(200 + number, thing=(40, 60)))
        assert not gate.may_skip(grey)
        gate.looked(grey, is_clear=False)
    grey = small_grey(view(300))
    assert not gate.may_skip(grey)
    gate.looked(grey, is_clear=True)
    assert gate.may_skip(small_grey(view(301)))


def test_an_even_change_of_light_is_no_change() -> None:
    gate = ChangeGate(every=1000)
    settled(gate, 30)
    assert gate.may_skip(small_grey(view(400, light=8.0)))
    assert not gate.may_skip(small_grey(view(401, light=40.0)))


def test_a_slow_thing_is_compared_with_the_last_look_and_not_with_the_last_picture() -> None:
    gate = ChangeGate(every=1000)
    settled(gate, 30)
    skips = [gate.may_skip(small_grey(view(500 + step, thing=(40, step * 2)))) for step in range(20)]
    assert skips[0]
    assert not all(skips)


def test_what_it_overlooked_makes_it_more_sensitive() -> None:
    gate = ChangeGate(every=3)
    settled(gate, 30)
    faint = [small_grey(view(600 + number, thing=(30, 10))) for number in range(40)]
    opened = []
    for grey in faint:
        skip = gate.may_skip(grey)
        opened.append(not skip)
        if not skip:
            gate.looked(grey, is_clear=False)
            gate.looked(small_grey(view(0)), is_clear=True)
    assert gate.overlooked >= 1
    assert sum(opened[20:]) >= sum(opened[:20])


def test_the_engine_skips_only_for_executions_that_ask(tmp_path) -> None:
    engine = Engine()
    asks = spec(tmp_path, "asks", parameters={"confidence": 0.35, "look_every": 5})
    looks = spec(tmp_path, "looks")
    dark = [np.full((120, 160, 3), 20, np.uint8) for _ in range(11)]
    answers = [engine.analyse(Frame(image, moment(n)), [asks, looks]) for n, image in enumerate(dark)]
    assert [each[0]["outcome"] for each in answers] == ["clear"] * 11
    assert [each[0]["reason"] for each in answers].count("unchanged") == 8
    assert all(each[1]["reason"] == "" for each in answers)
    assert engine.stats()["unchanged"] == 8
    again = engine.analyse(Frame(dark[-1], moment(10)), [asks])[0]
    assert again == answers[-1][0], "a repeat is answered from memory"
    bright = [
        engine.analyse(Frame(np.full((120, 160, 3), 220, np.uint8), moment(20 + n)), [asks])[0]
        for n in range(4)
    ]
    assert [each["outcome"] for each in bright] == ["hit"] * 4


def test_executions_with_a_memory_get_every_picture(tmp_path) -> None:
    rule = {"kind": "left_object", "dwell": 1}
    item = {"code": "a", "labels": ["bright"], "rule": rule}
    execution = spec(tmp_path, items=[item], parameters={"look_every": 5})
    engine = Engine()
    for number in range(6):
        engine.analyse(FrameRef(jpeg(tmp_path / "a.jpg", 20), moment(number)), [execution])
    assert engine.unchanged == 0
