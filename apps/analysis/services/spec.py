"""The specification of an execution: everything the engine needs to know, as one JSON value."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from apps.algorithms.models import AlgorithmPackage, AlgorithmVersion
from apps.analysis.models import SceneRule


def package_folder(package: AlgorithmPackage) -> str:
    """The absolute folder of the unpacked package."""
    return str(Path(settings.VANTAGE_PACKAGES) / (package.path or package.fingerprint))


def default_parameters(version: AlgorithmVersion) -> dict[str, Any]:
    """Defaults of the version's parameter schema."""
    properties = version.parameters.get("properties", version.parameters)
    return {
        name: schema["default"]
        for name, schema in properties.items()
        if isinstance(schema, dict) and "default" in schema
    }


def manifest_entry(package: AlgorithmPackage, version: AlgorithmVersion) -> dict[str, Any]:
    """The package's own entry of this algorithm version; the version's entry where the manifest has none."""
    for entry in package.manifest.get("algorithms", []):
        if entry.get("id") == version.algorithm.slug and str(entry.get("version")) == version.version:
            return dict(entry)
    return dict(version.entry)


def build_spec(
    *,
    execution_id: UUID,
    camera_id: UUID,
    preset: int,
    version: AlgorithmVersion,
    package: AlgorithmPackage,
    rule: SceneRule | None,
    masks: list[dict[str, Any]],
    parameters: dict[str, Any],
    priority: int = 0,
    is_preemptible: bool = False,
) -> dict[str, Any]:
    """Manifest entry + scene rule + task parameters. Later wins: schema defaults, the rule's, the task's own.

    No regions means the whole frame, no `schedule` means priority 0 and not pre-emptible.
    """
    entry = manifest_entry(package, version)
    models = {model.get("id"): model for model in package.manifest.get("models", [])}
    ruled = rule.parameters if rule is not None else {}
    schedule = {"priority": priority, "preemptible": is_preemptible}
    return {
        "execution": str(execution_id),
        "camera": str(camera_id),
        "preset": preset,
        "package": package.fingerprint,
        "package_path": package_folder(package),
        "algorithm": version.algorithm.slug,
        "version": version.version,
        "model": models.get(entry.get("model")),
        "analyser": entry.get("analyser"),
        "items": [
            {key: item.get(key) for key in ("code", "labels", "rule") if key in item}
            for item in entry.get("items", [])
        ],
        "parameters": {**default_parameters(version), **ruled, **parameters},
        "regions": list(rule.regions) if rule is not None else [],
        "lines": list(rule.lines) if rule is not None else [],
        "masks": masks,
        **({"schedule": schedule} if priority or is_preemptible else {}),
    }
