"""The road of one frame from its rows: found by the id of a slot, a picture, a raw event or an event."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.analysis.choices import Outcome, SlotState
from apps.analysis.models import CaptureSlot
from apps.analysis.selectors import reason_words
from apps.core import clock
from apps.core.ids import id_floor
from apps.core.models import OutboxMessage, Push
from apps.devices.models import Camera, Capture
from apps.dispatch.selectors.stage import Frame, Stage
from apps.events.models import Event, EventOccurrence, RawEvent

LOOK_BACK = timedelta(hours=1)
"""A picture is taken at most this long after its slot was planned."""
PUSH_WITHIN = timedelta(minutes=10)
TIMINGS = ("decode_ms", "prepare_ms", "model_ms", "rules_ms")


def find_frame(identifier: UUID, principal: Any) -> Frame | None:
    """The frame that this id speaks of, with what the principal may see; None where that is nothing."""
    slot = CaptureSlot.objects.visible_to(principal, "capture").filter(pk=identifier).first()
    if slot is not None:
        return _frame(principal, slot.camera_id, slot.preset, slot.captured_at, slot)
    event = Event.objects.visible_to(principal).filter(pk=identifier).first()
    if event is not None:
        return _frame(principal, event.camera_id, event.preset, event.time)
    for rows, action in ((RawEvent.objects, "view"), (Capture.objects, "capture")):
        row = rows.visible_to(principal, action).filter(pk=identifier).first()
        if row is not None:
            return _frame(principal, row.camera_id, row.preset, row.time)
    return None


def frame_at(principal: Any, camera: UUID, preset: int, time: datetime) -> Frame:
    """The frame of this camera at this moment."""
    return _frame(principal, camera, preset, time)


def _frame(
    principal: Any, camera: UUID, preset: int, time: datetime | None, slot: CaptureSlot | None = None
) -> Frame:
    place = Camera.objects.get(pk=camera)
    if time is None:
        return Frame(place, preset, None, slot)
    if slot is None:
        slot = (
            CaptureSlot.objects.visible_to(principal, "capture")
            .filter(pk__gte=id_floor(time - LOOK_BACK), pk__lt=id_floor(time + LOOK_BACK))
            .filter(camera_id=camera, preset=preset, captured_at=time)
            .first()
        )
    raws = tuple(
        RawEvent.objects.visible_to(principal)
        .filter(camera_id=camera, preset=preset, time=time)
        .select_related("item", "event_type")
        .order_by("pk")
    )
    ids = [raw.pk for raw in raws]
    events = Event.objects.visible_to(principal).filter(raw_event_id__in=ids).select_related("event_type")
    attached = tuple(EventOccurrence.objects.filter(pk__in=ids).values_list("pk", flat=True))
    return Frame(place, preset, time, slot, raws, tuple(events.order_by("pk")), attached)


def capture_stages(frame: Frame, principal: Any) -> list[Stage]:
    """Planned and taken. A live frame has no slot: it is taken when it comes."""
    slot = frame.slot
    if slot is None:
        facts = ((_("source"), _("live stream")),)
        return [Stage("capture", _("Captured"), frame.time, frame.time, facts=facts)]
    failed = slot.state == SlotState.NOT_CAPTURED
    state = "failed" if failed else "ok" if slot.captured_at else "waiting"
    facts = [(_("planned"), _clock(slot.planned_at)), (_("attempts"), str(slot.attempts))]
    if slot.node:
        facts.append((_("node"), slot.node))
    return [
        Stage(
            "capture",
            _("Captured"),
            slot.planned_at,
            slot.captured_at,
            state,
            error=reason_words(slot.reason) if failed else "",
            object_id=str(slot.pk),
            facts=tuple(facts),
        )
    ]


def inference_stages(frame: Frame, principal: Any) -> list[Stage]:
    """Waiting for an engine, and the engine's work. The moment is known for frames with a hit."""
    if frame.time is None:
        return []
    known = next((raw.context for raw in frame.raw_events if raw.context.get("answered_at")), None)
    if known is None:
        return _results_only(frame)
    answered = datetime.fromisoformat(known["answered_at"])
    timings = {name: float(known.get("timings", {}).get(name) or 0) for name in TIMINGS}
    began = max(frame.time, answered - timedelta(milliseconds=sum(timings.values())))
    parts = tuple((name.removesuffix("_ms"), f"{value:.1f} ms") for name, value in timings.items() if value)
    return [
        Stage("queue", _("Waited in the queue"), frame.time, began),
        Stage("inference", _("Inferred"), began, answered, facts=parts),
    ]


def _results_only(frame: Frame) -> list[Stage]:
    """A frame without a hit keeps results and times of each execution, not the moment."""
    slot = frame.slot
    if slot is None or not slot.executions:
        return []
    failed = [result for result in slot.results.values() if result["outcome"] == "not_analysed"]
    facts = tuple(
        (
            str(Outcome(result["outcome"]).label),
            f"{result.get('ms') or 0:.1f} ms {reason_words(result.get('reason') or '')}".rstrip(),
        )
        for result in slot.results.values()
    )
    state = "waiting" if slot.open and clock.now() < slot.deadline + LOOK_BACK else "ok"
    error = reason_words(failed[0]["reason"]) if failed else ""
    return [Stage("inference", _("Inferred"), state="failed" if failed else state, error=error, facts=facts)]


def write_stages(frame: Frame, principal: Any) -> list[Stage]:
    """Raw events, and the picture, in the database."""
    found = []
    for raw in frame.raw_events:
        answered = raw.context.get("answered_at")
        began = datetime.fromisoformat(answered) if answered else raw.recorded_at
        subject = f"{raw.item} {raw.score:.2f}"
        found.append(
            Stage("write", _("Written"), began, raw.recorded_at, subject=subject, object_id=str(raw.pk))
        )
    return found


def event_stages(frame: Frame, principal: Any) -> list[Stage]:
    """Events raised from this frame, and repeats that were attached to an earlier one."""
    found = [
        Stage(
            "event",
            _("Raised"),
            event.created_at,
            event.created_at,
            subject=str(event.event_type.name),
            url=reverse("events:event-detail", args=[event.pk]),
            object_id=str(event.pk),
        )
        for event in frame.events
    ]
    recorded = {raw.pk: raw.recorded_at for raw in frame.raw_events}
    found += [
        Stage(
            "event", _("Attached to its main event"), recorded.get(key), recorded.get(key), object_id=str(key)
        )
        for key in frame.attached
    ]
    return found


def push_stages(frame: Frame, principal: Any) -> list[Stage]:
    """To open pages: the relay has numbered the message, or it waits in the outbox."""
    found = []
    for event in frame.events:
        soon = (event.created_at - timedelta(minutes=1), event.created_at + PUSH_WITHIN)
        push = Push.objects.filter(at__range=soon, kind="event.raised", object_id=event.pk).first()
        waiting = OutboxMessage.objects.filter(topic="push", key=str(event.pk)).order_by("id").first()
        if push is not None:
            facts = (("seq", str(push.seq)),)
            found.append(
                Stage("push", _("Pushed to pages"), push.at, push.at, object_id=str(push.seq), facts=facts)
            )
        elif waiting is not None:
            error = waiting.last_error
            state = "failed" if error else "waiting"
            found.append(Stage("push", _("Pushed to pages"), waiting.created_at, None, state, error))
    return found


def recent_events(principal: Any, number: int = 8) -> list[Event]:
    """The newest events, as a way in."""
    rows = Event.objects.visible_to(principal).select_related("camera", "event_type")
    return list(rows.order_by("-pk")[:number])


def _clock(moment: datetime) -> str:
    """As the page writes the beginnings and ends beside it: in the site's time zone."""
    return f"{timezone.localtime(moment):%H:%M:%S.%f}"[:-3]
