"""Providers, sessions, checksum, cache, preparation."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tests.vision.engine_models import brightness_model, picture, sha
from workers.vision.runtimes.base import ModelCorrupt, ModelMissing, ModelRefused
from workers.vision.runtimes.cache import ModelCache
from workers.vision.runtimes.checksum import verify
from workers.vision.runtimes.onnx import OnnxModel
from workers.vision.runtimes.prepare import InputSpec, prepare
from workers.vision.runtimes.providers import CPU, CUDA, TENSORRT, choose


@pytest.mark.parametrize(
    ("platform", "available", "expected"),
    [
        ("cpu", (TENSORRT, CUDA, CPU), [CPU]),
        ("cuda", (CUDA, CPU), [CUDA, CPU]),
        ("cuda", (CPU,), [CPU]),
        ("tensorrt", (TENSORRT, CUDA, CPU), [TENSORRT, CUDA, CPU]),
        ("auto", (CUDA, CPU), [CUDA, CPU]),
    ],
)
def test_providers_best_first(platform, available, expected):
    assert choose(platform, available) == expected


def test_an_unknown_platform_is_not_run_by_chance():
    with pytest.raises(ValueError, match="ascend"):
        choose("ascend", (CPU,))


def test_a_session_runs_from_many_threads(tmp_path):
    model = OnnxModel(brightness_model(tmp_path / "m.onnx"))
    assert (model.providers, model.batch_limit) == ((CPU,), 1)
    levels = np.linspace(0, 1, 16, dtype=np.float32)
    found: dict[float, float] = {}

    def ask(level: np.float32) -> None:
        found[float(level)] = float(model.run(np.full((1, 3, 64, 64), level, np.float32))[0][0, 4, 0])

    threads = [threading.Thread(target=ask, args=(level,)) for level in levels]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert all(score == pytest.approx(level, abs=1e-5) for level, score in found.items())
    assert len(found) == 16


def test_what_is_no_model_is_refused(tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"no model")
    with pytest.raises(ModelRefused, match=r"m\.onnx"):
        OnnxModel(tmp_path / "m.onnx")
    with pytest.raises(ModelMissing):
        OnnxModel(tmp_path / "gone.onnx")


def test_a_flipped_byte_is_noticed(tmp_path):
    path = brightness_model(tmp_path / "m.onnx")
    good = sha(path)
    verify(path, good)
    verify(path, f"sha256:{good.upper()}".replace("SHA256", "sha256"))
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelCorrupt):
        verify(path, good)


class Thing:
    def __init__(self, name: str, memory_bytes: int) -> None:
        self.name, self.memory_bytes, self.closed = name, memory_bytes, False

    def close(self) -> None:
        self.closed = True


def test_the_longest_unused_model_goes_first_never_one_in_use():
    cache: ModelCache[Thing] = ModelCache(budget_bytes=100)
    things = {name: Thing(name, 40) for name in "abcd"}
    with cache.borrow("a", lambda: things["a"]):
        for name in "bcd":
            with cache.borrow(name, lambda name=name: things[name]):
                pass
        assert not things["a"].closed
    assert [name for name in "abcd" if things[name].closed] == ["b", "c"]
    assert cache.resident() == ["a", "d"]
    assert (cache.loads, cache.evictions) == (4, 2)
    assert cache.resident_bytes() == 80


def test_a_model_is_opened_once_however_many_ask():
    cache: ModelCache[Thing] = ModelCache(1000)
    opened = []

    def opener() -> Thing:
        opened.append(1)
        return Thing("a", 1)

    def ask() -> None:
        with cache.borrow("a", opener):
            pass

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(opened) == 1


def test_what_failed_to_open_is_tried_again():
    cache: ModelCache[Thing] = ModelCache(1000)

    def fails() -> Thing:
        raise ModelMissing("not here")

    with pytest.raises(ModelMissing), cache.borrow("a", fails):
        pass
    with cache.borrow("a", lambda: Thing("a", 1)) as thing:
        assert thing.name == "a"


@pytest.mark.parametrize(
    ("letterbox", "inside", "outside"),
    [(True, (32, 8), (2, 30)), ("topleft", (2, 2), (60, 30)), (False, (2, 2), None)],
)
def test_letterbox(letterbox, inside, outside):
    spec = InputSpec(64, 64, letterbox=letterbox)
    tensor, placement = prepare(picture(10, 100, 200), spec)
    assert tensor.shape == (1, 3, 64, 64)
    if letterbox is not False:
        assert (placement.scale_x, placement.scale_y) == (32, 64)
    assert tensor[0, 0, inside[1], inside[0]] == 10
    if outside:
        assert tensor[0, 0, outside[1], outside[0]] == 114


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"color": "bgr"}, [10, 20, 30]),
        ({"color": "rgb"}, [30, 20, 10]),
        ({"color": "rgb", "scale": 1 / 255}, [30 / 255, 20 / 255, 10 / 255]),
        ({"color": "rgb", "mean": [1, 2, 3], "std": [2, 4, 5]}, [14.5, 4.5, 1.4]),
        ({"color": "bgr", "mean": 127, "std": 128}, [-117 / 128, -107 / 128, -97 / 128]),
        ({"color": "bgr", "dtype": "uint8"}, [10, 20, 30]),
    ],
)
@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_colours_and_scales(fields, expected, layout):
    image = np.zeros((8, 8, 3), np.uint8)
    image[:] = (10, 20, 30)
    spec = InputSpec.from_manifest({"width": 8, "height": 8, "layout": layout, **fields})
    tensor, _ = prepare(image, spec)
    pixel = tensor[0, :, 3, 3] if layout == "nchw" else tensor[0, 3, 3]
    assert tensor.shape == spec.shape
    assert pixel == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    "fields", [{"color": "cmyk"}, {"std": 0}, {"width": 4}, {"letterbox": "left"}, {"mean": [1, 2]}]
)
def test_a_wrong_input_is_named(fields):
    with pytest.raises(ValueError, match="input"):
        InputSpec.from_manifest({"width": 64, "height": 64, **fields})
