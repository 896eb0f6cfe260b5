"""The demo's algorithm packages: whole, deterministic, and accepted by the platform's own check."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from demo.packaging import build_package, fingerprint, manifest, package_files, slugs
from demo.real import ModelMissing, build_real_package, model_entry, real_cameras, real_slugs
from demo.training.make_samples import firm
from workers.vision.detections import Detection
from workers.vision.packages import files as package_folder
from workers.vision.packages.check import check_package

MEDIA = Path(os.environ.get("VANTAGE_TEST_MEDIA", Path(__file__).parents[3] / "shared" / "media"))
has_media = pytest.mark.skipif(not (MEDIA / "models").is_dir(), reason=f"no public models in {MEDIA}")


def unpacked(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(folder)
    return folder


def test_the_detector_comes_first() -> None:
    assert slugs() == ["street-objects", "camera-health", "left-object"]
    assert real_slugs() == ["real-fastestdet", "real-ultraface", "real-yolox-nano"]


@pytest.mark.parametrize("slug", slugs())
def test_the_platforms_check_accepts_the_package(slug: str, tmp_path: Path) -> None:
    folder = unpacked(build_package(slug, tmp_path / "package.zip"), tmp_path / "package")
    report = check_package(folder)
    assert report.passed, [rule for rule in report.rules if not rule.passed]
    assert report.fingerprint == fingerprint(package_files(slug)) == package_folder.fingerprint(folder)


@has_media
@pytest.mark.parametrize("slug", real_slugs())
def test_the_platforms_check_accepts_the_public_models(slug: str, tmp_path: Path) -> None:
    folder = unpacked(build_real_package(slug, MEDIA, tmp_path / "package.zip"), tmp_path / "package")
    report = check_package(folder)
    assert report.passed, [rule for rule in report.rules if not rule.passed]


def test_the_same_sources_make_the_same_zip(tmp_path: Path) -> None:
    first, second = (
        build_package("street-objects", tmp_path / name).read_bytes() for name in ("a.zip", "b.zip")
    )
    assert first == second
    with pytest.raises(FileNotFoundError, match="nothing-here"):
        build_package("nothing-here", tmp_path / "c.zip")


def test_the_detector_is_small_and_says_that_it_is_synthetic() -> None:
    files = package_files("street-objects")
    assert len(files["model/street.onnx"]) <= 4_000_000
    for algorithm in manifest("street-objects")["algorithms"]:  # type: ignore[attr-defined]
        assert "synthetic" in algorithm["statement"]["en"]
        assert "合成" in algorithm["statement"]["zh"]
        figures = algorithm["statement"]["figures"]
        assert 0 < figures["demo_clips"]["recall"] <= 1
        assert 0 < figures["other_seeds"]["precision"] <= 1


def test_a_missing_or_wrong_model_is_named_with_its_address(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "yolox_nano_416.onnx").write_bytes(b"something else")
    with pytest.raises(ModelMissing, match=r"https://.*yolox_nano\.onnx"):
        build_real_package("real-yolox-nano", tmp_path, tmp_path / "x.zip")
    assert all(str(model_entry(slug)["url"]).startswith("https://") for slug in real_slugs())
    assert real_cameras(tmp_path) == []


@pytest.mark.parametrize(
    ("scores", "kept"),
    [
        ([0.9, 0.7], 2),
        ([0.9, 0.5], 1),
        ([0.9, 0.61, 0.58, 0.55, 0.4], 4),
        ([0.55, 0.53, 0.3], 2),
        ([0.4], 0),
    ],
)
def test_samples_expect_only_what_a_check_can_rely_on(scores: list[float], kept: int) -> None:
    found = [
        Detection("bag", score, (0.1, 0.1, 0.2, 0.2))
        for score in np.random.default_rng(1).permutation(scores)
    ]
    assert len(firm(found)) == kept
