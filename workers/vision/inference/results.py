"""Results as they travel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workers.vision.detections import Detection
from workers.vision.outcomes import Outcome, Reason

Result = dict[str, Any]
Timings = dict[str, float]


def judged(execution: str, hits: Sequence[dict[str, Any]], timings: Timings) -> Result:
    outcome = Outcome.HIT if hits else Outcome.CLEAR
    return _result(execution, outcome, "", list(hits), timings)


def unchanged(execution: str, timings: Timings) -> Result:
    """Clear, since the last look was and nothing has changed."""
    return _result(execution, Outcome.CLEAR, Reason.UNCHANGED, [], timings)


def not_analysed(execution: str, reason: str, timings: Timings | None = None) -> Result:
    return _result(execution, Outcome.NOT_ANALYSED, reason, [], timings or {})


def item_hits(code: str, hits: Sequence[Sequence[Detection]]) -> list[dict[str, Any]]:
    """Hits of one item, sorted by box so that the same frame gives the same ordinals."""
    ordered = sorted(
        (sorted((target.as_dict() for target in targets), key=_place) for targets in hits),
        key=lambda targets: [_place(target) for target in targets],
    )
    return [{"item": code, "ordinal": ordinal, "targets": targets} for ordinal, targets in enumerate(ordered)]


def _place(target: dict[str, Any]) -> tuple[Any, ...]:
    return (*target["box"], target["label"], -target["score"])


def _result(
    execution: str, outcome: Outcome, reason: str, hits: list[dict[str, Any]], timings: Timings
) -> Result:
    return {
        "execution": execution,
        "outcome": outcome.value,
        "reason": str(reason),
        "hits": hits,
        "timings": {
            name: round(timings.get(name, 0.0), 3)
            for name in ("decode_ms", "prepare_ms", "model_ms", "rules_ms")
        },
    }
