"""Runs a package's ONNX model exactly as the engine does: its preparation, its decoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import yaml
from numpy.typing import NDArray

from workers.vision.decoders import decoders
from workers.vision.decoders.base import DecoderContext
from workers.vision.detections import Detection
from workers.vision.runtimes.prepare import InputSpec, prepare


class PackageModel:
    """The first model of a package folder, on one CPU thread."""

    def __init__(self, folder: Path, confidence: float = 0.55) -> None:
        manifest: dict[str, Any] = yaml.safe_load((folder / "algorithm.yaml").read_text("utf-8"))
        entry = manifest["models"][0]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            str(folder / entry["file"]), options, providers=["CPUExecutionProvider"]
        )
        self.input = InputSpec.from_manifest(entry["input"])
        self.labels = tuple(entry["output"]["labels"])
        self.decoder = decoders.get(entry["output"]["decoder"])
        self.iou = float(entry["output"].get("iou", 0.45))
        self.confidence = confidence

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Detections of one BGR picture (h, w, 3), best first."""
        tensor, placement = prepare(image, self.input)
        outputs = self.session.run(None, {self.session.get_inputs()[0].name: tensor})
        context = DecoderContext(placement, self.labels, self.confidence, self.iou)
        return list(self.decoder(outputs, context))
