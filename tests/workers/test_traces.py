"""Spans of frames: one trace from capture to delivery, made from rows, the same however often they are made."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as configured
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from apps.core import clock, periodic
from apps.core.trace import trace_of
from tests.attacks import world as worlds
from workers.node import traces

pytestmark = pytest.mark.django_db


def test_nothing_is_exported_unless_a_collector_is_named() -> None:
    assert configured.VANTAGE_OTLP_ENDPOINT == ""
    assert "traces.export" not in dict(periodic.schedule.items())


def test_a_frame_is_one_trace_from_capture_to_delivery(
    monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any
) -> None:
    settings.VANTAGE_OUTBOUND_EXACT = [worlds.ENDPOINT]
    settings.MEDIA_ROOT = tmp_path
    world = worlds.build()
    memory = InMemorySpanExporter()
    tracer = traces.tracer_of(memory, batched=False)
    monkeypatch.setattr(traces, "tracer_to", lambda endpoint: tracer)
    monkeypatch.setattr(traces, "SETTLED", timedelta(0))

    assert traces.export() == 1
    event = world.event
    trace = trace_of(event.camera_id, event.preset, event.time)
    spans = {span.name: span for span in memory.get_finished_spans()}
    assert {f"{span.context.trace_id:032x}" for span in spans.values()} == {trace}
    assert {"frame", "capture", "write", "event", "delivery"} <= set(spans)
    root = spans.pop("frame")
    assert root.parent is None
    assert {span.parent.span_id for span in spans.values() if span.parent} == {root.context.span_id}
    assert traces.export() == 0, "what was exported is behind the mark"

    ids = sorted(span.context.span_id for span in memory.get_finished_spans())
    memory.clear()
    frame = traces.frame_at(traces.SYSTEM, event.camera_id, event.preset, event.time)
    traces.emit(
        tracer, frame, [s for _n, of in traces.frame_stages.items() for s in of(frame, traces.SYSTEM)]
    )
    assert sorted(span.context.span_id for span in memory.get_finished_spans()) == ids
    assert clock.now()
