"""Builders for tests of the engine and of packages: 1 kB models, specs, pictures, packages."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper

from workers.vision.frames import Frame

MEDIA = Path(__file__).parents[3] / "shared" / "media"
START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
BOX = (0.25, 0.25, 0.5, 0.5)

needs_media = pytest.mark.skipif(not (MEDIA / "models").is_dir(), reason="shared media folder is not present")


def moment(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def brightness_model(path: Path, classes: int = 1, size: int = 64) -> Path:
    """YOLOv8 shape [1, 4+C, 1]: one box in the middle; the score of every class is the picture's mean 0..1."""
    weights = [
        numpy_helper.from_array(
            np.array([size / 2, size / 2, size / 2, size / 2], np.float32).reshape(1, 4, 1), "box"
        ),
        numpy_helper.from_array(np.array([1, 1, 1], np.int64), "shape"),
        numpy_helper.from_array(np.array([1, classes, 1], np.int64), "classes"),
    ]
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Reshape", ["mean", "shape"], ["score"]),
        helper.make_node("Expand", ["score", "classes"], ["scores"]),
        helper.make_node("Concat", ["box", "scores"], ["output"], axis=1),
    ]
    return save_model(path, nodes, weights, size, [1, 4 + classes, 1])


def save_model(path: Path, nodes: list[Any], weights: list[Any], size: int, output: list[int]) -> Path:
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, size, size])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, output)],
        weights,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))
    return path


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def spec(folder: Path, execution: str = "e1", **changes: Any) -> dict[str, Any]:
    """An execution of the brightness model in `folder`/model/det.onnx (made when missing)."""
    path = folder / "model" / "det.onnx"
    if not path.exists():
        brightness_model(path)
    return {
        "execution": execution,
        "camera": "cam",
        "preset": 0,
        "package": "p" * 64,
        "package_path": str(folder),
        "algorithm": "bright",
        "version": "1.0.0",
        "model": model_entry(path),
        "analyser": None,
        "items": [
            {"code": "bright.seen", "labels": ["bright"], "rule": {"kind": "presence", "min_targets": 1}}
        ],
        "parameters": {"confidence": 0.35},
        "regions": [],
        "lines": [],
        "masks": [],
        **changes,
    }


def model_entry(path: Path) -> dict[str, Any]:
    return {
        "id": "det",
        "file": f"model/{path.name}",
        "sha256": sha(path),
        "input": {"width": 64, "height": 64, "scale": 1 / 255, "letterbox": False},
        "output": {"decoder": "yolov8", "labels": ["bright"]},
    }


def picture(level: int = 200, width: int = 160, height: int = 120) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def frame(level: int = 200, seconds: float = 0.0) -> Frame:
    return Frame(picture(level), moment(seconds))


def jpeg(path: Path, level: int = 200) -> Path:
    cv2.imwrite(str(path), picture(level))
    return path


def package(folder: Path, **changes: Any) -> Path:
    """A sound package around the brightness model; `changes` replace top fields of algorithm.yaml."""
    path = brightness_model(folder / "model" / "det.onnx")
    samples = folder / "samples"
    samples.mkdir(parents=True)
    cv2.imwrite(str(samples / "bright.png"), picture(204))
    expected = [{"label": "bright", "score": 0.8, "box": list(BOX)}]
    (samples / "expected.json").write_text(json.dumps([{"image": "bright.png", "detections": expected}]))
    (folder / "README.md").write_text("# Bright\n")
    write_manifest(folder, {**manifest(path), **changes})
    return folder


def manifest(path: Path) -> dict[str, Any]:
    return {
        "schema": "vantage.package/v1",
        "platform": "cpu",
        "runtime": "onnx",
        "models": [model_entry(path)],
        "algorithms": [
            {
                "id": "bright",
                "version": "1.0.0",
                "name": {"zh": "亮度", "en": "Bright"},
                "task": "detect",
                "sources": ["image"],
                "model": "det",
                "items": [
                    {
                        "code": "bright.seen",
                        "name": {"zh": "亮", "en": "Bright"},
                        "labels": ["bright"],
                        "rule": {"kind": "presence"},
                    }
                ],
                "parameters": {"type": "object", "properties": {"confidence": {"type": "number"}}},
            }
        ],
    }


def write_manifest(folder: Path, data: dict[str, Any]) -> None:
    (folder / "algorithm.yaml").write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")


def square(x: float, y: float, side: float) -> dict[str, Any]:
    ring = [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
    return {"type": "Polygon", "space": "image-norm", "preset": 0, "coordinates": [ring]}
