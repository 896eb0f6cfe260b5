"""What a scene rule may set for an algorithm: its package's own parameters, and the platform's difference gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.algorithms.models import Algorithm, AlgorithmVersion
from workers.vision.rules import RULE_PARAMETERS, rules

LOOK_EVERY: dict[str, Any] = {
    **RULE_PARAMETERS["look_every"],
    "title": _("While nothing moves, look at one capture in"),
    "description": _(
        "Saves computing where little happens: of a picture that stays still only one capture in so many is looked "
        "at, the others are “clear” with the reason that nothing had changed. A picture in which something changed, "
        "and any after a hit, is always looked at. 0: look at each capture."
    ),
}


def remembers(entry: Mapping[str, Any]) -> bool:
    """Does the algorithm keep a memory (an analyser, a rule over time)? Then it needs every picture.

    entry: an algorithm's entry of its package, or the specification of an execution.
    """
    kinds = [str((item.get("rule") or {}).get("kind", "")) for item in entry.get("items") or []]
    return bool(entry.get("analyser")) or any(kind in rules and rules.get(kind).stateful for kind in kinds)


def look_every(spec: Mapping[str, Any]) -> int:
    """Of an execution's specification: one look in so many captures of a still scene; 0: each is looked at."""
    value = (spec.get("parameters") or {}).get("look_every") or 0
    return 0 if remembers(spec) or not isinstance(value, int) else value


def rule_schema(algorithm: Algorithm | None) -> dict[str, Any]:
    """JSON Schema of the parameters, of the newest version; empty where there is none."""
    rows = AlgorithmVersion.objects.filter(algorithm=algorithm)
    version = rows.order_by("-id").first() if algorithm else None
    if version is None:
        return {}
    own: dict[str, Any] = version.parameters or {}
    if "properties" not in own:
        own = {"type": "object", "properties": own}
    if remembers(version.entry):
        return own
    return {**own, "properties": {**own["properties"], "look_every": LOOK_EVERY}}
