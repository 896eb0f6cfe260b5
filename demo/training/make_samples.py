"""Cuts sample pictures and covers for the demo's packages from the clips, with what the model finds on them."""

from __future__ import annotations

import argparse
import json
import tempfile
import zipfile
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from demo.clips import ensure_clips
from demo.packaging import PACKAGES
from demo.real import build_real_package
from demo.training.detect import PackageModel
from workers.vision.detections import Detection

SAMPLES = (
    ("bag_left", 30.0), ("garbage_pile", 45.0), ("street_stall", 24.0), ("road_water", 40.0), ("intrusion", 20.0),
    ("busy_road", 12.0), ("night_street", 22.0), ("quiet_park", 10.0),
)  # fmt: skip
COVERS = {
    "street-objects": ("street_stall", 24.0),
    "left-object": ("bag_left", 30.0),
    "camera-health": ("goes_dark", 20.5),
}

REAL_CLIP = "one_by_one_persons.mp4"
REAL_SAMPLES: dict[str, tuple[float, ...]] = {
    "real-yolox-nano": (12.0, 60.0),
    "real-fastestdet": (12.0, 60.0),
    "real-ultraface": (33.0, 69.0),
}


def frame_at(video: Path, seconds: float) -> NDArray[np.uint8]:
    """The frame of a clip at a time, BGR."""
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= seconds - 1e-6:
                return np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
    raise ValueError(f"{video.name} is shorter than {seconds} s")


def firm(found: list[Detection], least: float = 0.55) -> list[Detection]:
    """Those a check can rely on: down to ``least`` and further while scores lie too near to tell apart."""
    ordered = sorted(found, key=lambda each: -each.score)
    kept = [each for each in ordered if each.score >= least] or [
        each for each in ordered if each.score >= 0.5
    ]
    for each in ordered[len(kept) :]:
        if not kept or each.score < kept[-1].score - 0.04:
            break
        kept.append(each)
    return kept


def write_sample(folder: Path, name: str, image: NDArray[np.uint8], model: PackageModel) -> dict[str, object]:
    """Writes one picture and gives its entry for expected.json, read back as the check will read it."""
    picture = folder / f"{name}.jpg"
    cv2.imwrite(str(picture), image, [cv2.IMWRITE_JPEG_QUALITY, 88])
    again = cv2.imread(str(picture))
    if again is None:
        raise OSError(f"{picture} cannot be read back")
    detections = [
        {"label": each.label, "score": round(each.score, 4), "box": [round(side, 5) for side in each.box]}
        for each in firm(model.detect(np.asarray(again, np.uint8)))
    ]
    return {"image": picture.name, "detections": detections}


def write_expected(folder: Path, entries: list[dict[str, object]]) -> None:
    """Writes expected.json."""
    text = json.dumps(entries, indent=1, ensure_ascii=False) + "\n"
    (folder / "expected.json").write_text(text, encoding="utf-8")


def make_samples(clips_dir: Path) -> None:
    """Writes samples/*.jpg, samples/expected.json and cover.jpg of the demo's own packages."""
    clips = ensure_clips(clips_dir)
    folder = PACKAGES / "street-objects"
    samples = folder / "samples"
    samples.mkdir(exist_ok=True)
    model = PackageModel(folder, 0.3)
    write_expected(
        samples,
        [write_sample(samples, name, frame_at(clips[name].video, time), model) for name, time in SAMPLES],
    )
    for slug, (name, seconds) in COVERS.items():
        cover = cv2.resize(frame_at(clips[name].video, seconds), (480, 270), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(PACKAGES / slug / "cover.jpg"), cover, [cv2.IMWRITE_JPEG_QUALITY, 85])


def make_real_samples(media: Path) -> None:
    """Writes the samples of the public models' packages: frames of a clip under CC BY 4.0 (see their READMEs)."""
    for slug, seconds in REAL_SAMPLES.items():
        samples = PACKAGES / slug / "samples"
        samples.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            with zipfile.ZipFile(build_real_package(slug, media, Path(scratch) / "package.zip")) as archive:
                archive.extractall(scratch)
            model = PackageModel(Path(scratch), 0.3)
            entries = [
                write_sample(
                    samples, f"people_{time:.0f}", frame_at(media / "videos" / REAL_CLIP, time), model
                )
                for time in seconds
            ]
        write_expected(samples, entries)


def main() -> None:
    """Command line; see the module's text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=Path, help="cache folder of the rendered clips")
    parser.add_argument("--media", type=Path, help="folder of real clips and public models")
    options = parser.parse_args()
    if options.clips is not None:
        make_samples(options.clips)
    if options.media is not None:
        make_real_samples(options.media)


if __name__ == "__main__":
    main()
