"""Did the system look here at that time? The planned captures of a camera's day as cells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from apps.analysis.choices import Outcome, SlotState
from apps.analysis.models import CaptureSlot, Execution
from apps.analysis.selectors.plans import SHANGHAI
from apps.analysis.selectors.reasons import reason_words
from apps.core.ids import id_floor
from apps.devices.models import Camera

MOST_CELLS = 288
_WEIGHT = {"hit": 3, "none": 2, "clear": 1, "planned": 0}


@dataclass(frozen=True, slots=True)
class Cell:
    """One planned capture (or several of the same minutes): hit, clear, none (not looked, with reason) or planned."""

    at: datetime
    kind: str
    reason: str
    slot: UUID
    capture: UUID | None
    count: int = 1


def coverage(camera: Camera, day: date, principal: Any) -> list[Cell]:
    """Cells of the Shanghai day, oldest first, at most 288; only results of executions the principal may see."""
    start = datetime.combine(day, time.min, tzinfo=SHANGHAI)
    end = start + timedelta(days=1)
    slots = (
        CaptureSlot.objects.all()
        .visible_to(principal, "capture")
        .filter(camera=camera, planned_at__gte=start, planned_at__lt=end)
        .filter(pk__gte=id_floor(start), pk__lt=id_floor(end))
        .order_by("planned_at")
    )
    own = set(
        Execution.objects.all().visible_to(principal).filter(camera=camera).values_list("pk", flat=True)
    )
    cells = [cell for slot in slots.iterator(chunk_size=2000) if (cell := _cell(slot, own)) is not None]
    return _merged(cells)


def _cell(slot: CaptureSlot, own: set[UUID]) -> Cell | None:
    executions = [str(execution) for execution in slot.executions if execution in own]
    if not executions:
        return None
    found = [slot.results[key] for key in executions if key in slot.results]
    outcomes = {result["outcome"] for result in found}
    kind, reason = "planned", ""
    if Outcome.HIT in outcomes:
        kind = "hit"
    elif Outcome.CLEAR in outcomes:
        kind = "clear"
    elif outcomes or slot.state == SlotState.NOT_CAPTURED:
        kind = "none"
        reason = slot.reason or next((result["reason"] for result in found if result["reason"]), "")
    return Cell(slot.planned_at, kind, reason_words(reason), slot.pk, slot.capture_id)


def _merged(cells: list[Cell]) -> list[Cell]:
    """Neighbours in one cell where there are too many: what was found or missed outweighs what was clear."""
    if len(cells) <= MOST_CELLS:
        return cells
    minutes = 24 * 60 // MOST_CELLS
    groups: dict[int, list[Cell]] = {}
    for cell in cells:
        local = cell.at.astimezone(SHANGHAI)
        groups.setdefault((local.hour * 60 + local.minute) // minutes, []).append(cell)
    return [_heaviest(members) for members in groups.values()]


def _heaviest(members: Iterable[Cell]) -> Cell:
    cells = list(members)
    top = max(cells, key=lambda cell: _WEIGHT[cell.kind])
    return Cell(top.at, top.kind, top.reason, top.slot, top.capture, len(cells))


def totals(cells: Iterable[Cell]) -> dict[str, int]:
    """How many cells of each kind."""
    counts = dict.fromkeys(_WEIGHT, 0)
    for cell in cells:
        counts[cell.kind] += 1
    return counts
