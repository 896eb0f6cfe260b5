"""Cuts sample pictures and covers for the demo's packages from the clips, with what the model finds on them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from demo.clips import ensure_clips
from demo.packaging import PACKAGES
from demo.training.detect import PackageModel

SAMPLES = (
    ("bag_left", 30.0), ("garbage_pile", 45.0), ("street_stall", 24.0), ("road_water", 40.0), ("intrusion", 20.0),
    ("busy_road", 12.0), ("night_street", 22.0), ("quiet_park", 10.0),
)  # fmt: skip
COVERS = {
    "street-objects": ("street_stall", 24.0),
    "left-object": ("bag_left", 30.0),
    "camera-health": ("goes_dark", 20.5),
}


def frame_at(video: Path, seconds: float) -> NDArray[np.uint8]:
    """The frame of a clip at a time, BGR."""
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= seconds - 1e-6:
                return np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
    raise ValueError(f"{video.name} is shorter than {seconds} s")


def make_samples(clips_dir: Path) -> None:
    """Writes samples/*.jpg, samples/expected.json and cover.jpg of every package."""
    clips = ensure_clips(clips_dir)
    folder = PACKAGES / "street-objects"
    samples = folder / "samples"
    samples.mkdir(exist_ok=True)
    model = PackageModel(folder)
    expected = []
    for name, seconds in SAMPLES:
        picture = samples / f"{name}.jpg"
        cv2.imwrite(str(picture), frame_at(clips[name].video, seconds), [cv2.IMWRITE_JPEG_QUALITY, 88])
        image = cv2.imread(str(picture))
        assert image is not None
        found = model.detect(np.asarray(image, np.uint8))
        detections = [
            {"label": each.label, "score": round(each.score, 4), "box": [round(side, 5) for side in each.box]}
            for each in found
        ]
        expected.append({"image": picture.name, "detections": detections})
    text = json.dumps(expected, indent=1, ensure_ascii=False) + "\n"
    (samples / "expected.json").write_text(text, encoding="utf-8")
    for slug, (name, seconds) in COVERS.items():
        cover = cv2.resize(frame_at(clips[name].video, seconds), (480, 270), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(PACKAGES / slug / "cover.jpg"), cover, [cv2.IMWRITE_JPEG_QUALITY, 85])


def main() -> None:
    """Command line; see the module's text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=Path, required=True, help="cache folder of the rendered clips")
    make_samples(parser.parse_args().clips)


if __name__ == "__main__":
    main()
