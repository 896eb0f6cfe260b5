"""Frames as OpenTelemetry spans, made from their rows once they are settled; nothing unless a collector is named.

All spans of a frame have the frame's trace id; their own ids are made from trace and stage, so that exporting twice
gives the same spans. The root span `frame` reaches from the first moment to the last.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from datetime import datetime, timedelta
from uuid import UUID

from celery import shared_task
from django.conf import settings
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)

from apps.accounts.permissions import SYSTEM
from apps.core import clock, leases
from apps.core.ids import id_floor
from apps.core.models import ProcessLease
from apps.core.trace import span_of
from apps.dispatch.registry import frame_stages
from apps.dispatch.selectors.frame import frame_at
from apps.dispatch.selectors.stage import Frame, Stage, with_gaps
from apps.events.models import RawEvent
from apps.openapi.models import Attempt

logger = logging.getLogger(__name__)
LEASE = "traces"
SETTLED = timedelta(seconds=15)
LONGEST = timedelta(hours=1)
MOST = 2000
Place = tuple[UUID, int, datetime]
_ids: ContextVar[tuple[int, int]] = ContextVar("span_ids")


class GivenIds(IdGenerator):
    """Ids are what `emit` says, never random."""

    def generate_trace_id(self) -> int:
        """The frame's."""
        return _ids.get()[0]

    def generate_span_id(self) -> int:
        """The stage's."""
        return _ids.get()[1]


@shared_task(queue="default", name="traces.export")
def export() -> int:
    """Export what settled since the last time; one process at a time. Returns how many frames."""
    moment = clock.now() - SETTLED
    before = ProcessLease.objects.filter(name=LEASE).values_list("detail", flat=True).first() or {}
    if leases.take(LEASE, seconds=60) is None:
        return 0
    known = before.get("until")
    since = max(datetime.fromisoformat(known) if known else moment - timedelta(minutes=1), moment - LONGEST)
    places = list(settled(since, moment))
    tracer = tracer_to(settings.VANTAGE_OTLP_ENDPOINT)
    for place in places[:MOST]:
        frame = frame_at(SYSTEM, *place)
        emit(tracer, frame, [stage for _name, of in frame_stages.items() for stage in of(frame, SYSTEM)])
    if len(places) > MOST:
        logger.warning("traces: %d of %d frames were left out", len(places) - MOST, len(places))
    leases.take(LEASE, seconds=60, detail={"until": moment.isoformat()})
    leases.release(LEASE)
    return len(places)


def settled(since: datetime, until: datetime) -> Iterable[Place]:
    """Frames of which a raw event was recorded, or a delivery was tried, in this time."""
    floor = id_floor(since - timedelta(minutes=10))
    raws = RawEvent.objects.filter(pk__gte=floor, recorded_at__gt=since, recorded_at__lte=until)
    found: dict[Place, None] = dict.fromkeys(raws.values_list("camera_id", "preset", "time").order_by("pk"))
    tried = Attempt.objects.filter(pk__gte=id_floor(since), pk__lt=id_floor(until))
    events = set(tried.exclude(delivery__event_id=None).values_list("delivery__event_id", flat=True))
    told = RawEvent.objects.filter(pk__in=_raw_events_of(events))
    return {**found, **dict.fromkeys(told.values_list("camera_id", "preset", "time"))}


def _raw_events_of(events: set[UUID]) -> list[UUID]:
    from apps.events.models import Event

    return list(Event.objects.filter(pk__in=events).values_list("raw_event_id", flat=True))


def emit(tracer: Tracer, frame: Frame, stages: list[Stage]) -> None:
    """One root span and one for each stage whose time is known."""
    timed = [stage for stage in with_gaps(stages) if stage.began is not None]
    if not timed:
        return
    trace, root = int(frame.trace, 16), span_of(frame.trace, "frame")
    first = min(stage.began for stage in timed if stage.began)
    last = max(stage.ended or stage.began or first for stage in timed)
    attributes = {"camera": str(frame.camera.pk), "preset": frame.preset, "hits": len(frame.raw_events)}
    _ids.set((trace, root))
    tracer.start_span(
        "frame",
        context=set_span_in_context(NonRecordingSpan(NOBODY)),
        start_time=_nanoseconds(first),
        attributes=attributes,
    ).end(_nanoseconds(last))
    parent = set_span_in_context(
        NonRecordingSpan(SpanContext(trace, root, False, TraceFlags(TraceFlags.SAMPLED)))
    )
    for stage in timed:
        assert stage.began is not None
        _ids.set((trace, span_of(frame.trace, stage.key, stage.object_id)))
        span = tracer.start_span(
            stage.key,
            context=parent,
            kind=SpanKind.CLIENT if stage.key == "delivery" else SpanKind.INTERNAL,
            start_time=_nanoseconds(stage.began),
            attributes=dict(_attributes(stage)),
        )
        if stage.error:
            span.set_status(Status(StatusCode.ERROR, stage.error))
        span.end(_nanoseconds(stage.ended or stage.began))


NOBODY = SpanContext(0, 0, False)


def _attributes(stage: Stage) -> Iterator[tuple[str, str | float]]:
    yield "state", stage.state
    if stage.object_id:
        yield "object", stage.object_id
    if stage.gap is not None:
        yield "gap_seconds", stage.gap


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1000


@functools.lru_cache(maxsize=1)
def tracer_to(endpoint: str) -> Tracer:
    """The tracer that sends to this collector by OTLP over HTTP; a collector that is away costs only its spans."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return tracer_of(OTLPSpanExporter(endpoint=endpoint, timeout=5), batched=True)


def tracer_of(exporter: SpanExporter, *, batched: bool) -> Tracer:
    """A tracer of our own, apart from any global one."""
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    resource = Resource.create({"service.name": "vantage", "deployment.environment": settings.VANTAGE_SITE})
    provider = TracerProvider(id_generator=GivenIds(), resource=resource, shutdown_on_exit=batched)
    provider.add_span_processor(BatchSpanProcessor(exporter) if batched else SimpleSpanProcessor(exporter))
    return provider.get_tracer("vantage")
