"""Algorithm packages from their source folders: ``build_package("street-objects", Path("out.zip"))``.

The zip is deterministic: sorted paths, fixed times and rights, one compression; the same sources give the same bytes.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import yaml

PACKAGES = Path(__file__).parent / "packages"
_WHEN = (2026, 11, 20, 0, 0, 0)
_STORED = {".onnx", ".jpg", ".png", ".webp"}


def slugs() -> list[str]:
    """The packages that need nothing from outside, the demo's detector first."""
    names = [path.parent.name for path in PACKAGES.glob("*/algorithm.yaml")]
    return sorted(
        (name for name in names if not name.startswith("real-")),
        key=lambda name: (name != "street-objects", name),
    )


def manifest(slug: str) -> dict[str, object]:
    """The package's algorithm.yaml."""
    document: dict[str, object] = yaml.safe_load((PACKAGES / slug / "algorithm.yaml").read_text("utf-8"))
    return document


def package_files(slug: str, extra: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """Path → content of all files of a package; ``extra`` adds files that are not in the sources (a model)."""
    folder = PACKAGES / slug
    if not (folder / "algorithm.yaml").is_file():
        raise FileNotFoundError(f"there is no package {slug} under {PACKAGES}")
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    files.update(extra or {})
    return dict(sorted(files.items()))


def fingerprint(files: Mapping[str, bytes]) -> str:
    """SHA-256 of the sorted list of (path, SHA-256), one ``path␀hash␊`` per file."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path}\0{hashlib.sha256(files[path]).hexdigest()}\n".encode())
    return digest.hexdigest()


def build_package(slug: str, out_zip: Path, extra: Mapping[str, bytes] | None = None) -> Path:
    """Writes the package's zip and returns its path; FileNotFoundError for an unknown slug."""
    out_zip.parent.mkdir(parents=True, exist_ok=True)
    part = out_zip.with_suffix(".part")
    with zipfile.ZipFile(part, "w") as archive:
        for path, content in package_files(slug, extra).items():
            entry = zipfile.ZipInfo(path, _WHEN)
            entry.external_attr = 0o644 << 16
            stored = Path(path).suffix in _STORED
            entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    part.replace(out_zip)
    return out_zip
