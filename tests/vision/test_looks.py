"""Looks: small raw copies beside frames, and what the engine makes of them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.vision.engine_models import jpeg, moment, picture, spec
from workers.vision.inference import Engine, FrameRef
from workers.vision.inference.sizes import look_size
from workers.vision.looks import BadLook, fit, read_look, shrunk, write_look
from workers.vision.runtimes.prepare import Canvases, InputSpec, prepare


def test_what_is_written_is_read(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (90, 160, 3), np.uint8)
    look = read_look(write_look(image, tmp_path / "a.look", (160, 90)))
    assert np.array_equal(look.image, image)
    assert (look.width, look.height) == (160, 90)
    assert [path.name for path in tmp_path.iterdir()] == ["a.look"]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1920, 1080), (640, 360)),
        ((1080, 1920), (360, 640)),
        ((768, 432), (640, 360)),
        ((320, 240), (320, 240)),
    ],
)
def test_a_look_keeps_the_aspect_and_enlarges_nothing(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert fit(*size) == expected
    assert shrunk(np.zeros((size[1], size[0], 3), np.uint8), expected).shape[1::-1] == expected


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: b"JPEG" + data[4:],
        lambda data: data[:6],
        lambda data: data[:4] + b"\xff\xff\xff\xff" + data[8:],
        lambda data: b"",
    ],
)
def test_a_spoilt_look_is_noticed_and_the_engine_takes_the_picture(tmp_path: Path, spoil) -> None:
    path = write_look(picture(20), tmp_path / "frame.look")
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(BadLook):
        read_look(path)
    engine = Engine()
    found = engine.analyse(FrameRef(jpeg(tmp_path / "frame.jpg"), moment(0), path), [spec(tmp_path)])[0]
    assert (found["outcome"], engine.looks) == ("hit", 0)


def test_the_engine_needs_no_picture_where_the_look_is_large_enough(tmp_path: Path) -> None:
    path = write_look(picture(200, 640, 480), tmp_path / "frame.look", (64, 48))
    engine, gone = Engine(), tmp_path / "gone.jpg"
    small = spec(
        tmp_path, model={**spec(tmp_path)["model"], "input": {"width": 48, "height": 48, "scale": 1 / 255}}
    )
    assert engine.analyse(FrameRef(gone, moment(0), path), [small])[0]["reason"] == "model_error"
    assert engine.looks == 1, "the look served; only the model wants another size"
    large = engine.analyse(FrameRef(gone, moment(0), path), [spec(tmp_path)])[0]
    assert large["reason"] == "frame_lost", "a stretched 64×64 needs 64 rows, the look has 48"
    whole = write_look(picture(200, 64, 48), tmp_path / "whole.look")
    assert engine.analyse(FrameRef(gone, moment(0), whole), [spec(tmp_path)])[0]["outcome"] == "hit"


def test_looks_are_as_large_as_the_specs_need(tmp_path: Path) -> None:
    model = spec(tmp_path)["model"]
    boxed = spec(tmp_path, model={**model, "input": {"width": 416, "height": 416}})
    assert look_size([boxed], 1920, 1080) == (416, 234)
    assert look_size([spec(tmp_path)], 1920, 1080) == (114, 64), "stretched inputs keep the frame's aspect"
    assert look_size([boxed], 320, 180) == (320, 180)
    assert look_size(
        [{"model": None, "analyser": "intrusion", "execution": "a", "items": []}], 1920, 1080
    ) == (
        320,
        180,
    )
    assert look_size([{"nonsense": 1}], 100, 100) == (1, 1)


@pytest.mark.parametrize("letterbox", [True, "topleft", False])
@pytest.mark.parametrize(
    "fields", [{"scale": 1 / 255}, {"mean": 127, "std": 128}, {"dtype": "uint8"}, {"layout": "nhwc"}]
)
def test_canvases_used_again_give_what_fresh_ones_give(letterbox: bool | str, fields: dict) -> None:
    spec_ = InputSpec.from_manifest({"width": 64, "height": 48, "letterbox": letterbox, **fields})
    canvases, chance = Canvases(), np.random.default_rng(3)
    for width, height in ((160, 90), (160, 90), (90, 160), (64, 48), (160, 90)):
        image = chance.integers(0, 255, (height, width, 3), np.uint8)
        fresh, placement = prepare(image, spec_)
        again, placed = prepare(image, spec_, canvases)
        assert np.array_equal(fresh, again)
        assert placement == placed


def test_canvases_are_bounded() -> None:
    canvases = Canvases(most=2)
    for side in (16, 24, 32, 40):
        prepare(picture(), InputSpec(side, side), canvases)
    assert len(canvases._kept) == 2


def test_a_look_of_a_jpeg_shows_the_same(tmp_path: Path) -> None:
    image = cv2.resize(np.random.default_rng(5).integers(0, 255, (9, 16, 3), np.uint8), (1280, 720))
    cv2.imwrite(str(tmp_path / "a.jpg"), image)
    decoded = cv2.imread(str(tmp_path / "a.jpg"))
    one, _ = prepare(decoded, InputSpec(416, 416))
    two, _ = prepare(shrunk(image, fit(1280, 720)), InputSpec(416, 416))
    assert float(np.abs(one - two).mean()) < 1.5
