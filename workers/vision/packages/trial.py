"""The child of a package check: opens one model, decodes an empty picture, runs the samples.

python -m workers.vision.packages.trial PARENT MEMORY SECONDS      with the question as JSON on stdin
{"model_path", "platform", "input", "output", "samples": [{"image": path, "confidence": 0.05}]}
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from workers.vision.decoders import DecodeError, DecoderContext, decoders
from workers.vision.packages.sandbox import close_doors, confine
from workers.vision.rendition.decode import ImageRefused, decode_image
from workers.vision.runtimes.base import ModelError
from workers.vision.runtimes.onnx import OnnxModel
from workers.vision.runtimes.prepare import InputSpec, placement_for, prepare


def main() -> int:
    confine(sys.argv[1:])
    question = json.load(sys.stdin)
    sealed = close_doors()
    answer = {**_try(question), "sealed": sealed}
    sys.stdout.write("\n" + json.dumps(answer) + "\n")
    return 0


def _try(question: Mapping[str, Any]) -> dict[str, Any]:
    spec = InputSpec.from_manifest(question["input"])
    try:
        model = OnnxModel(Path(question["model_path"]), platform="cpu")
    except ModelError as error:
        return {"opens": False, "message": str(error)}
    mismatch = _input_mismatch(model, spec)
    if mismatch:
        return {"opens": True, "fits": False, "message": mismatch}
    try:
        outputs = model.run(np.zeros(spec.shape, spec.dtype))
        _decode(question, spec, outputs, (spec.width, spec.height), 0.5)
    except (ModelError, DecodeError) as error:
        return {"opens": True, "fits": False, "message": str(error)}
    samples = [_sample(question, spec, model, sample) for sample in question["samples"]]
    return {"opens": True, "fits": True, "message": "", "samples": samples}


def _sample(question: Mapping[str, Any], spec: InputSpec, model: OnnxModel, sample: Any) -> dict[str, Any]:
    try:
        image = decode_image(Path(sample["image"]))
        tensor, _ = prepare(image, spec)
        size = (image.shape[1], image.shape[0])
        found = _decode(question, spec, model.run(tensor), size, float(sample["confidence"]))
    except (ImageRefused, OSError, ModelError, DecodeError) as error:
        return {"error": str(error)}
    return {"detections": [each.as_dict() for each in found]}


def _decode(
    question: Mapping[str, Any], spec: InputSpec, outputs: Any, size: tuple[int, int], confidence: float
) -> Any:
    output = dict(question["output"])
    decoder, labels = output.pop("decoder"), tuple(output.pop("labels"))
    iou = float(output.pop("iou", 0.45))
    context = DecoderContext(placement_for(spec, *size), labels, confidence, iou, output)
    return decoders.get(decoder)(outputs, context)


def _input_mismatch(model: OnnxModel, spec: InputSpec) -> str:
    shape = model.input_shape
    if len(shape) != 4:
        return f"the model's input has {len(shape)} dimensions, a picture has 4"
    for wanted, found in zip(spec.shape[1:], shape[1:], strict=True):
        if isinstance(found, int) and found > 0 and found != wanted:
            return f"the model's input is {list(shape)}, the manifest makes {list(spec.shape)}"
    kinds = {"float32": "tensor(float)", "uint8": "tensor(uint8)"}
    if model.input_type != kinds[spec.dtype]:
        return f"the model's input is of type {model.input_type}, the manifest makes {spec.dtype}"
    return ""


if __name__ == "__main__":
    sys.exit(main())
