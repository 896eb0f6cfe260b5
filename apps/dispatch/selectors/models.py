"""Which node cannot run which model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apps.dispatch.models import ComputeNode


def faulty_models(node: ComputeNode) -> dict[str, str]:
    """SHA-256 of a model file → why this node cannot run it: missing, damaged, or refused by its engine.

    What the node's own look at its files says comes before what the engine met when it last tried.
    """
    load = node.load or {}
    engine = (load.get("engine") or {}).get("faulty_models") or {}
    refused = {sha: why for sha, why in engine.items() if why == "model_refused"}
    return {**refused, **(load.get("models") or {})}


def model_of(spec: dict[str, Any]) -> str:
    """SHA-256 of the model an execution's specification names; empty for a built-in analyser."""
    return str((spec.get("model") or {}).get("sha256") or "")


def unfit(nodes: Iterable[ComputeNode]) -> dict[str, dict[str, str]]:
    """Node name → its faulty models; nodes without any are left out."""
    return {node.name: found for node in nodes if (found := faulty_models(node))}
