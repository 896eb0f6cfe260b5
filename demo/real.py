"""Real clips and public models for `--media DIR`: cameras from its videos, packages around its model files.

The packages' sources (``demo/packages/real-*``) hold everything but the model. Its file comes from ``DIR/models`` and
must have the SHA-256 that the manifest names; without it the manifest's ``url`` says where it is published.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.packaging import PACKAGES, build_package, manifest


@dataclass(frozen=True)
class RealClip:
    """A file of DIR/videos as a camera; ``algorithms`` are the public ones worth trying on it."""

    file: str
    name_zh: str
    name_en: str
    algorithms: tuple[str, ...] = ()


CLIPS: tuple[RealClip, ...] = (
    RealClip("one_by_one_persons.mp4", "实拍：逐一走过的人", "Real: people one by one", ("coco-person",)),
    RealClip("car_park.mp4", "实拍：停车场俯视", "Real: car park from above", ("coco-vehicle",)),
    RealClip("bottles_negative.mp4", "实拍：无人画面", "Real: nobody in it", ("coco-person",)),
    RealClip("opendatacam_street.mp4", "实拍：繁忙街道", "Real: busy street", ("coco-vehicle",)),
    RealClip("man_with_broom.mp4", "实拍：扫地的人", "Real: man with a broom", ("coco-person",)),
    RealClip("ir_to_day_switch.mp4", "实拍：红外转白天", "Real: infrared to day", ("coco-person",)),
    RealClip("asl_walk.mkv", "实拍：行走", "Real: someone walks", ("coco-person",)),
    RealClip("road_5_vehicles_msmpeg4.avi", "实拍：五辆车", "Real: five vehicles", ("coco-vehicle",)),
)


class ModelMissing(LookupError):
    """The model's file is not in the folder; the message names the file and where it is published."""


def real_slugs() -> list[str]:
    """Packages around public models."""
    return sorted(path.parent.name for path in PACKAGES.glob("real-*/algorithm.yaml"))


def real_cameras(media: Path) -> list[tuple[RealClip, Path]]:
    """The real clips that are in the folder, with their paths."""
    return [
        (clip, media / "videos" / clip.file) for clip in CLIPS if (media / "videos" / clip.file).is_file()
    ]


def model_entry(slug: str) -> dict[str, Any]:
    """The manifest's only model: file, sha256, url …"""
    models = manifest(slug)["models"]
    assert isinstance(models, list)
    return dict(models[0])


def model_file(slug: str, media: Path) -> Path:
    """The model's file under DIR/models, found by its name or by its hash; raises ModelMissing."""
    entry = model_entry(slug)
    folder = media / "models"
    named = folder / Path(str(entry["file"])).name
    candidates = [named, *sorted(folder.glob("*.onnx"))] if folder.is_dir() else []
    for path in candidates:
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]:
            return path
    raise ModelMissing(
        f"no file with SHA-256 {entry['sha256']} in {folder}; it is published at {entry['url']}"
    )


def build_real_package(slug: str, media: Path, out_zip: Path) -> Path:
    """Writes the package's zip with the model inside; raises ModelMissing."""
    path = model_file(slug, media)
    return build_package(slug, out_zip, {str(model_entry(slug)["file"]): path.read_bytes()})
