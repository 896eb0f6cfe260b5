"""From a model's raw outputs to detections: one small registered file per output format."""

from workers.vision.decoders import classify, fastestdet, ultraface, yolov5, yolov8, yolox
from workers.vision.decoders.base import DecodeError, Decoder, DecoderContext, decoders

__all__ = [
    "DecodeError",
    "Decoder",
    "DecoderContext",
    "classify",
    "decoders",
    "fastestdet",
    "ultraface",
    "yolov5",
    "yolov8",
    "yolox",
]
