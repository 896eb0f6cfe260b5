"""One id from capture to delivery, in every log line that speaks of the frame."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

from apps.core.logs import JsonFormatter
from apps.core.trace import frame_id, span_of, trace_of


def test_the_id_is_of_the_moment_not_of_how_it_is_written() -> None:
    camera, moment = uuid4(), datetime(2026, 11, 21, 4, 0, 0, 123456, tzinfo=UTC)
    shanghai = moment.astimezone(timezone(timedelta(hours=8)))
    assert frame_id(camera, 0, moment) == frame_id(camera, 0, shanghai)
    assert frame_id(camera, 0, moment) != frame_id(camera, 1, moment)
    assert len(trace_of(camera, 0, moment)) == 32


def test_span_ids_are_64_bits_and_always_the_same() -> None:
    ids = {span_of("0" * 32, stage) for stage in ("frame", "capture", "write")}
    assert len(ids) == 3
    assert all(0 < one < 2**64 for one in ids)
    assert span_of("0" * 32, "frame") in ids


def test_a_log_line_carries_the_ids_it_was_given_and_nothing_else() -> None:
    logger, camera = logging.getLogger("test"), uuid4()
    extra = {"trace": "ab" * 16, "camera": camera, "milliseconds": 3.5, "password": "x"}
    record = logger.makeRecord("test", logging.INFO, "", 0, "captured", (), None, extra=extra)
    line = json.loads(JsonFormatter().format(record))
    assert line["trace"] == "ab" * 16
    assert line["camera"] == str(camera)
    assert line["milliseconds"] == 3.5
    assert "password" not in line
