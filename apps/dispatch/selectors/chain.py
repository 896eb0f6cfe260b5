"""The first links of the chain: streams, decoding, queue, inference, events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q, Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.analysis.choices import ExecutionState, Sampling, SlotState
from apps.analysis.models import CaptureSlot, Execution
from apps.analysis.selectors import reason_words
from apps.core.ids import id_floor
from apps.core.models import OutboxMessage
from apps.core.wake import client
from apps.devices.choices import CameraState
from apps.devices.models import Camera
from apps.dispatch.models import ComputeNode
from apps.dispatch.selectors.link import Link
from apps.dispatch.selectors.nodes import live_nodes
from apps.events.models import Event, RawEvent

WINDOW = timedelta(minutes=5)
RESULTS = "vantage:results"
OF_NODES = ("inference.cpu", "inference.gpu")
"""Each node has a queue of these of its own too, named `<queue>.<node>`: its frames lie there."""
QUEUES = ("capture", *OF_NODES)


def _recent(now: datetime) -> Any:
    return CaptureSlot.objects.filter(pk__gte=id_floor(now - WINDOW), pk__lt=id_floor(now))


def _load(nodes: Iterable[ComputeNode], part: str, key: str) -> float:
    return sum(float((node.load.get(part) or {}).get(key) or 0) for node in nodes)


def _last_error(nodes: Iterable[ComputeNode]) -> str:
    errors = [str((node.load.get("streams") or {}).get("last_error") or "") for node in nodes]
    return next((error for error in errors if error), "")


def depth(name: str) -> int:
    """Length of a Redis list; 0 where the broker is away (the queue's tile says so)."""
    try:
        return int(client().llen(name))  # type: ignore[arg-type]
    except Exception:
        return 0


def broker_answers() -> bool:
    """True when Redis answers."""
    try:
        return bool(client().ping())
    except Exception:
        return False


def fetch_link(now: datetime, principal: Any) -> Link:
    """取流: captures and held streams."""
    counts = Counter(
        {row["state"]: row["n"] for row in _recent(now).values("state").annotate(n=Count("id")).order_by()}
    )
    taken, missed = counts[SlotState.CAPTURED], counts[SlotState.NOT_CAPTURED]
    looked = Execution.objects.exclude(state=ExecutionState.STOPPED)
    away = Camera.objects.filter(pk__in=looked.values("camera_id"), state=CameraState.OFFLINE).count()
    worst = (
        _recent(now)
        .filter(state=SlotState.NOT_CAPTURED)
        .order_by("-pk")
        .values_list("reason", "planned_at")
        .first()
    )
    held = int(_load(live_nodes(now), "streams", "held"))
    state, reason, step = "ok", _("Cameras deliver."), ""
    if missed and missed >= taken:
        state, reason = "down", _("Most captures of the last five minutes failed.")
        step = _("Open the capture results and look at the reasons; check network and cameras.")
    elif away or missed:
        state, reason = "warning", _("Some cameras do not deliver.")
        step = _("Open the list of cameras that are away and check them.")
    return Link(
        "fetch",
        _("Streams"),
        rate=(taken + missed) / 5,
        rate_unit=_("captures a minute"),
        backlog=away,
        last_error=reason_words(worst[0]) if worst else "",
        last_error_at=worst[1] if worst else None,
        state=state,
        reason=reason,
        next_step=step,
        details=(
            (
                _("%(count)d cameras away") % {"count": away},
                reverse("devices:camera-list") + "?state=offline",
            ),
            (_("failed captures"), reverse("analysis:slot-list") + "?state=not_captured"),
            (_("%(count)d streams held") % {"count": held}, reverse("dispatch:node-list")),
        ),
    )


def decode_link(now: datetime, principal: Any) -> Link:
    """解码: what the holders decode, drop and find damaged."""
    nodes = live_nodes(now)
    rate, dropped = _load(nodes, "rates", "decoded"), _load(nodes, "rates", "dropped")
    corrupt = _load(nodes, "rates", "corrupt")
    unfit = _recent(now).filter(reason__startswith="quality_").count()
    state, reason, step = "ok", _("Pictures are fit for analysis."), ""
    if rate and corrupt > rate * 0.2:
        state, reason = "down", _("More than a fifth of the pictures is damaged.")
        step = _("Check the network of the cameras; RTSP over TCP loses nothing.")
    elif unfit or corrupt:
        state, reason = "warning", _("Some pictures are black, blurred or damaged.")
        step = _("Open the capture results and look at these cameras.")
    return Link(
        "decode",
        _("Decoding"),
        rate=(rate * 60) + _recent(now).filter(state=SlotState.CAPTURED).count() / 5,
        rate_unit=_("pictures a minute"),
        backlog=int(dropped * 60),
        last_error=_last_error(nodes),
        state=state,
        reason=reason,
        next_step=step,
        details=(
            (
                _("%(count)d unfit pictures") % {"count": unfit},
                reverse("analysis:slot-list") + "?state=not_captured",
            ),
        ),
    )


def queue_link(now: datetime, principal: Any) -> Link:
    """排队: slots that wait for a worker."""
    waiting = CaptureSlot.objects.filter(
        Q(state__in=[SlotState.PLANNED, SlotState.LEASED]) | Q(state=SlotState.CAPTURED, open__gt=0),
        pk__gte=id_floor(now - timedelta(hours=1)),
        pk__lt=id_floor(now),
    )
    facts = waiting.aggregate(number=Count("id"), oldest=Min("planned_at"))
    number, oldest = facts["number"], facts["oldest"]
    delay = (now - oldest).total_seconds() if oldest else 0.0
    own = [f"{name}.{node.name}" for node in live_nodes(now) for name in OF_NODES]
    messages = sum(depth(name) for name in (*QUEUES, *own))
    state, reason, step = "ok", _("Work is taken as it comes."), ""
    if not broker_answers():
        state, reason = "down", _("The broker does not answer.")
        step = _("Start Redis or Valkey; nothing is lost meanwhile.")
    elif delay > 60:
        state, reason = "down", _("The oldest capture has waited for more than a minute.")
        step = _("Check that the capture and inference workers run; add workers.")
    elif delay > 20:
        state, reason = "warning", _("Captures wait longer than usual.")
        step = _("Add capture or inference workers, or make intervals longer.")
    missed = _recent(now).filter(reason__in=["no_worker", "worker_lost"]).order_by("-pk").first()
    return Link(
        "queue",
        _("Queue"),
        rate=_recent(now).count() / 5,
        rate_unit=_("captures planned a minute"),
        backlog=number,
        delay=delay,
        last_error=reason_words(missed.reason) if missed else "",
        last_error_at=missed.planned_at if missed else None,
        state=state,
        reason=reason,
        next_step=step,
        details=(
            (_("waiting captures"), reverse("analysis:slot-list") + "?state=planned"),
            (_("%(count)d messages in the broker") % {"count": messages}, reverse("dispatch:node-list")),
        ),
    )


def inference_link(now: datetime, principal: Any) -> Link:
    """推理: engines and what they answered."""
    nodes = live_nodes(now)
    up = [node for node in nodes if (node.load.get("engine") or {}).get("is_up")]
    rows = Execution.objects.exclude(state=ExecutionState.STOPPED)
    live = rows.filter(sampling__in=[Sampling.KEYFRAMES, Sampling.FPS])
    waiting = live.filter(state__in=[ExecutionState.WAITING, ExecutionState.RETRYING]).count()
    late = rows.filter(last_outcome="not_analysed").exclude(last_reason__in=["learning", ""])
    failed = late.order_by("-last_result_at").values_list("last_reason", "last_result_at").first()
    state, reason, step = "ok", _("Engines answer."), ""
    if not nodes:
        state, reason = "down", _("No compute node is alive.")
        step = _("Start the stream holder (`manage.py streams`) on a node.")
    elif not up:
        state, reason = "down", _("No inference engine answers.")
        step = _("Start the engine (`manage.py engine`); waiting pictures are analysed then.")
    elif len(up) < len(nodes) or waiting:
        state, reason = "warning", _("Some nodes or executions wait.")
        step = _("Open the nodes and look at their engines.")
    return Link(
        "inference",
        _("Inference"),
        rate=_load(nodes, "rates", "engine_frames") * 60,
        rate_unit=_("pictures a minute"),
        backlog=int(_load(nodes, "engine", "queue")) + waiting,
        last_error=reason_words(failed[0]) if failed else "",
        last_error_at=failed[1] if failed else None,
        state=state,
        reason=reason,
        next_step=step,
        details=(
            (
                _("%(count)d executions") % {"count": rows.count()},
                reverse("analysis:task-list") + "?state=running",
            ),
            (_("%(count)d nodes alive") % {"count": len(nodes)}, reverse("dispatch:node-list")),
        ),
    )


def event_link(now: datetime, principal: Any) -> Link:
    """事件: raw events and events, the writer and the outbox between them."""
    since = now - WINDOW
    raw = RawEvent.objects.filter(
        pk__gte=id_floor(since - timedelta(minutes=5)), recorded_at__gte=since
    ).count()
    events = Event.objects.filter(created_at__gte=since).count()
    results = depth(RESULTS) + depth(f"{RESULTS}:taken")
    outbox = OutboxMessage.objects.filter(due_at__lte=now).aggregate(n=Count("id"), oldest=Min("due_at"))
    delay = (now - outbox["oldest"]).total_seconds() if outbox["oldest"] else 0.0
    broken = OutboxMessage.objects.exclude(last_error="").order_by("-due_at").first()
    dead = depth(f"{RESULTS}:dead")
    state, reason, step = "ok", _("Results are written as they come."), ""
    if delay > 30 or results > 5000:
        state, reason = "down", _("Results or messages are not written.")
        step = _("Check that the courier (writer) and the scheduler (relay) run.")
    elif delay > 5 or results > 500 or dead:
        state, reason = "warning", _("Results wait to be written, or some were put aside.")
        step = _("Look at the log of the writer.")
    return Link(
        "event",
        _("Events"),
        rate=raw / 5,
        rate_unit=_("raw events a minute"),
        backlog=results + int(outbox["n"] or 0),
        delay=delay,
        last_error=broken.last_error if broken else "",
        last_error_at=broken.due_at if broken else None,
        state=state,
        reason=reason,
        next_step=step,
        details=(
            (_("%(count)d events in five minutes") % {"count": events}, _maybe("events:event-list")),
            (_("waiting for the writer: %(count)d") % {"count": results}, _maybe("dispatch:health")),
        ),
    )


def _maybe(name: str) -> str:
    from django.urls import NoReverseMatch

    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def hours_of(now: datetime) -> dict[str, int]:
    """Results of this hour over all executions."""
    from apps.analysis.models import ExecutionHour

    hour = now.replace(minute=0, second=0, microsecond=0)
    totals = ExecutionHour.objects.filter(hour=hour).aggregate(
        hits=Sum("hits"), clears=Sum("clears"), not_analysed=Sum("not_analysed")
    )
    return {key: int(value or 0) for key, value in totals.items()}
