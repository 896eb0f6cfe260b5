"""samples/expected.json and how near a model must come to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import jsonschema

from workers.vision.detections import iou

MIN_IOU = 0.9
SCORE_TOLERANCE = 0.02
MAX_SAMPLES = 500

_SCHEMA = {
    "type": "array",
    "maxItems": MAX_SAMPLES,
    "items": {
        "type": "object",
        "properties": {
            "image": {"type": "string", "minLength": 1},
            "detections": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "label": {"type": "string"},
                        "score": {"type": "number", "minimum": 0, "maximum": 1},
                        "box": {
                            "type": "array",
                            "items": {"type": "number", "minimum": 0, "maximum": 1},
                            "minItems": 4,
                            "maxItems": 4,
                        },
                    },
                    "required": ["label", "score", "box"],
                },
            },
        },
        "required": ["image", "detections"],
    },
}


class SamplesError(ValueError):
    """expected.json cannot be used."""


@dataclass(frozen=True)
class Sample:
    image: Path
    expected: Sequence[Mapping[str, Any]]


def load_samples(folder: Path) -> list[Sample]:
    """Read `samples/expected.json`; raises `SamplesError`."""
    path = folder / "samples" / "expected.json"
    if not path.is_file():
        raise SamplesError("samples/expected.json is missing")
    if path.stat().st_size > 20 * 2**20:
        raise SamplesError("samples/expected.json is larger than 20 MiB")
    try:
        data = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise SamplesError(f"samples/expected.json is no readable JSON: {error}") from error
    wrong = next(iter(jsonschema.Draft202012Validator(_SCHEMA).iter_errors(data)), None)
    if wrong is not None:
        where = ".".join(str(part) for part in wrong.absolute_path)
        raise SamplesError(f"samples/expected.json {where}: {wrong.message[:200]}")
    return [Sample(_image(folder, entry["image"]), entry["detections"]) for entry in data]


def differences(sample: Sample, found: Sequence[Mapping[str, Any]], threshold: float) -> list[str]:
    """Sentences about what differs: each expected detection must be found (IoU ≥ 0.9, score ± 0.02), and
    nothing more may be found at or above `threshold` + tolerance."""
    rest = list(found)
    problems = []
    for expected in sorted(sample.expected, key=lambda each: -each["score"]):
        same = [each for each in rest if each["label"] == expected["label"]]
        best = max(same, key=lambda each: iou(each["box"], expected["box"]), default=None)
        overlap = iou(best["box"], expected["box"]) if best else 0.0
        name = f"{sample.image.name}: {expected['label']} {expected['score']:.2f}"
        if best is None or overlap < MIN_IOU:
            problems.append(f"{name} not found (best IoU {overlap:.2f})")
            continue
        rest.remove(best)
        if abs(best["score"] - expected["score"]) > SCORE_TOLERANCE:
            problems.append(f"{name} found with score {best['score']:.3f}")
    problems.extend(
        f"{sample.image.name}: {each['label']} {each['score']:.2f} found but not expected"
        for each in rest
        if each["score"] >= threshold + SCORE_TOLERANCE
    )
    return problems


def _image(folder: Path, name: str) -> Path:
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or "\\" in name:
        raise SamplesError(f"samples/expected.json: {name[:80]!r} is not inside samples/")
    for path in (folder / "samples" / pure, folder / pure):
        if path.is_file() and not path.is_symlink():
            return path
    raise SamplesError(f"samples/expected.json: the picture {name[:80]!r} is missing")
