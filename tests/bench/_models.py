"""The models of the benches: public ones where the shared folder is present, the committed detector otherwise."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.clips import SHARED

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "demo" / "packages"


@dataclass(frozen=True)
class BenchModel:
    """name: of the file; path; entry: as in the manifest's `models`."""

    name: str
    path: Path
    entry: dict[str, Any]

    def spec(self, execution: str, **changes: Any) -> dict[str, Any]:
        """An execution spec that asks for every label of the model."""
        labels = list(self.entry["output"]["labels"])
        return {
            "execution": execution,
            "package": f"bench-{self.name}",
            "package_path": str(self.path.parent),
            "model": self.entry,
            "platform": "cpu",
            "analyser": None,
            "items": [{"code": "bench.seen", "labels": labels, "rule": {"kind": "presence"}}],
            "parameters": {"confidence": 0.35},
            **changes,
        }


def committed() -> BenchModel:
    """The detector of the demo city, which is part of the repository."""
    folder = PACKAGES / "street-objects"
    entry = yaml.safe_load((folder / "algorithm.yaml").read_text("utf-8"))["models"][0]
    path = folder / entry["file"]
    return BenchModel(path.name, path, {**entry, "file": path.name, "sha256": _sha(path)})


def public() -> list[BenchModel]:
    """YOLOX-Nano and FastestDet, as their packages describe them; [] where the shared folder is not present."""
    found = []
    for package, file in (("real-yolox-nano", "yolox_nano_416.onnx"), ("real-fastestdet", "FastestDet.onnx")):
        path = SHARED / "models" / file
        if path.is_file():
            entry = yaml.safe_load((PACKAGES / package / "algorithm.yaml").read_text("utf-8"))["models"][0]
            entry.pop("url", None)
            found.append(BenchModel(file, path, {**entry, "file": file, "sha256": _sha(path)}))
    return found


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
