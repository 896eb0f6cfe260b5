"""Decoders against tensors made by an independent encoder, and against the real models where they are present."""

from __future__ import annotations

import av
import numpy as np
import pytest

from tests.vision import decoders_encoders as encoders
from tests.vision.engine_models import MEDIA, needs_media
from workers.vision.decoders import DecodeError, DecoderContext, decoders
from workers.vision.detections import iou
from workers.vision.runtimes.onnx import OnnxModel
from workers.vision.runtimes.prepare import InputSpec, placement_for, prepare

LABELS = ("person", "car", "bag")
WANTED = [
    (0, 0.91, (0.10, 0.20, 0.15, 0.40)),
    (1, 0.72, (0.55, 0.50, 0.30, 0.25)),
    (2, 0.53, (0.40, 0.05, 0.06, 0.08)),
]


@pytest.mark.parametrize("letterbox", [True, False, "topleft"])
@pytest.mark.parametrize("frame", [(1920, 1080), (640, 480), (400, 900)])
@pytest.mark.parametrize(
    ("name", "encode", "size"),
    [
        ("yolov8", encoders.yolov8, (640, 640)),
        ("yolo11", encoders.yolov8, (640, 640)),
        ("yolov5", encoders.yolov5, (640, 384)),
        ("yolox", encoders.yolox, (416, 416)),
        ("fastestdet", encoders.fastestdet, (352, 352)),
        ("ultraface", encoders.ultraface, (320, 240)),
    ],
)
def test_what_was_encoded_is_decoded(name, encode, size, frame, letterbox):
    spec = InputSpec(*size, letterbox=letterbox)
    context = DecoderContext(placement_for(spec, *frame), LABELS, 0.3, 0.45)
    found = list(decoders.get(name)(encode(WANTED, len(LABELS), frame, size, letterbox), context))
    assert [each.label for each in found] == ["person", "car", "bag"]
    for each, (_, score, box) in zip(found, WANTED, strict=True):
        assert each.score == pytest.approx(score, abs=1e-4)
        assert np.abs(np.array(each.box) - box).max() <= 1e-4


def test_the_weaker_box_of_a_class_goes_the_other_class_stays():
    near = [(0, 0.9, (0.2, 0.2, 0.3, 0.3)), (0, 0.8, (0.21, 0.2, 0.3, 0.3)), (1, 0.7, (0.2, 0.2, 0.3, 0.3))]
    spec = InputSpec(640, 640)
    context = DecoderContext(placement_for(spec, 640, 640), LABELS, 0.3, 0.45)
    found = decoders.get("yolov8")(encoders.yolov8(near, 3, (640, 640), (640, 640), True), context)
    assert [(each.label, round(each.score, 2)) for each in found] == [("person", 0.9), ("car", 0.7)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [("car", 0.858)]),
        ({"top": 2}, [("car", 0.858), ("bag", 0.1161)]),
        ({"activation": "sigmoid"}, [("car", 0.9526), ("bag", 0.7311), ("person", 0.3775)]),
    ],
)
def test_classify(options, expected):
    context = DecoderContext(placement_for(InputSpec(8, 8), 8, 8), LABELS, 0.1, options=options)
    found = decoders.get("classify")([np.array([[-0.5, 3.0, 1.0]], np.float32)], context)
    assert [(each.label, round(each.score, 4)) for each in found] == expected
    assert all(each.box == (0, 0, 1, 1) for each in found)


@pytest.mark.parametrize(
    ("name", "outputs"),
    [
        ("yolov8", [np.zeros((1, 84, 10), np.float32)]),
        ("yolov5", [np.zeros((2, 10, 8), np.float32)]),
        ("yolox", [np.zeros((1, 77, 8), np.float32)]),
        ("fastestdet", [np.zeros((1, 8, 22), np.float32)]),
        ("ultraface", [np.zeros((1, 10, 2), np.float32)]),
        ("classify", [np.zeros((1, 7), np.float32)]),
        ("yolov8", []),
    ],
)
def test_outputs_of_another_shape_are_refused(name, outputs):
    context = DecoderContext(placement_for(InputSpec(416, 416), 416, 416), LABELS)
    with pytest.raises(DecodeError):
        decoders.get(name)(outputs, context)


REAL = {
    "yolox": ("yolox_nano_416.onnx", {"width": 416, "height": 416, "color": "bgr", "letterbox": "topleft"}),
    "fastestdet": (
        "FastestDet.onnx",
        {"width": 352, "height": 352, "color": "bgr", "scale": 1 / 255, "letterbox": False},
    ),
    "ultraface": (
        "ultraface_rfb_320.onnx",
        {"width": 320, "height": 240, "mean": 127, "std": 128, "letterbox": False},
    ),
}


def picture_at(clip: str, seconds: float) -> np.ndarray:
    with av.open(str(MEDIA / "videos" / clip)) as container:
        for each in container.decode(video=0):
            if each.time is not None and each.time >= seconds:
                return each.to_ndarray(format="bgr24")
    raise AssertionError(f"{clip} is shorter than {seconds} s")


def look(name: str, image: np.ndarray, confidence: float = 0.5):
    file, fields = REAL[name]
    names = (MEDIA / "models" / "coco80.names").read_text().split("\n")[:80]
    model, spec = OnnxModel(MEDIA / "models" / file), InputSpec.from_manifest(fields)
    tensor, placement = prepare(image, spec)
    labels = ("face",) if name == "ultraface" else tuple(names)
    return list(decoders.get(name)(model.run(tensor), DecoderContext(placement, labels, confidence)))


@needs_media
@pytest.mark.parametrize("name", ["yolox", "fastestdet"])
def test_real_models_see_the_person_and_not_before(name):
    there = [
        each for each in look(name, picture_at("one_by_one_persons.mp4", 30.0)) if each.label == "person"
    ]
    assert len(there) == 1
    assert iou(there[0].box, (0.5, 0.01, 0.21, 0.88)) > 0.8
    empty = look(name, picture_at("one_by_one_persons.mp4", 2.0))
    assert not [each for each in empty if each.label == "person"]


@needs_media
def test_two_models_of_different_formats_agree_on_cars():
    image = picture_at("opendatacam_street.mp4", 1.0)
    first = [each for each in look("yolox", image, 0.7) if each.label == "car"]
    second = [each for each in look("fastestdet", image, 0.4) if each.label == "car"]
    assert len(first) >= 4
    matched = [each for each in first if max(iou(each.box, other.box) for other in second) > 0.6]
    assert len(matched) >= len(first) - 1


@needs_media
def test_ultraface_finds_the_face_it_is_shown():
    faces = look("ultraface", picture_at("one_by_one_persons.mp4", 30.0), 0.35)
    assert all(each.label == "face" for each in faces)
    assert any(iou(each.box, (0.58, 0.06, 0.05, 0.11)) > 0.5 for each in faces)
