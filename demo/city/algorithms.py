"""The demo's own packages, checked like any other, their mappings accepted, put on the shelf."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from apps.accounts.models import Organisation
from apps.accounts.permissions import SYSTEM
from apps.algorithms.models import AlgorithmPackage, DetectionItem
from apps.algorithms.services import accept_mapping, check_package, set_listed, upload_package
from demo.packaging import build_package, slugs


def make_algorithms(owner: Organisation, say: Callable[[str], None]) -> None:
    """Import every package that needs no foreign model."""
    with tempfile.TemporaryDirectory() as folder:
        for slug in slugs():
            if not slug.startswith("real-"):
                take_package(build_package(slug, Path(folder) / f"{slug}.zip"), owner, say)


def take_package(path: Path, owner: Organisation, say: Callable[[str], None]) -> AlgorithmPackage:
    """Upload, check, accept the proposed mappings, list; a rejected package stops the demo with its report."""
    package = upload_package(by=SYSTEM, path=path, file_name=path.name, organisation=owner)
    package = check_package(package)
    if package.state != "ready":
        failed = [rule for rule in package.report.get("rules", []) if not rule["passed"]]
        raise RuntimeError(f"{path.name} was rejected: {failed}")
    for version in package.versions.all():
        set_listed(by=SYSTEM, version=version, listed=True)
        for item in DetectionItem.objects.filter(algorithm=version.algorithm, mapping_state="proposed"):
            if item.event_type_id is not None:
                accept_mapping(by=SYSTEM, item=item)
    say(f"algorithms: {path.stem} checked and listed")
    return package
