"""Storing and reading events at 10 million (--quick: 1 million): the writer against COPY, deep pages, partitions.

`writer_over_copy`: rows a second of `record_raw_events`, batches of 1000 with what it reads and queues for them,
against COPY of the same finished rows into a table with the same partitions, indexes and foreign keys. Both commit
each batch.

Events are made by the database itself and lie there as they would after two years of a city: time-ordered ids, 2000
cameras of 20 bureaus, 40 types. Reads go through the same querysets and keyset pages as the screens and the API, of
somebody who manages everything and of somebody who manages one bureau in twenty.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.bench._database import own_database, prepare_django

NEEDS_SERVICES = True
PAGE = 50
BUREAUS, CAMERAS, KINDS = 20, 2_000, 40
BATCH = 1_000
GOALS = {"writer_over_copy": 0.5, "deep_page_over_first": 3.0, "deep_page_over_first_one_bureau": 3.0}
END = datetime(2026, 6, 1, tzinfo=UTC)
Row = dict[str, Any]


def run(quick: bool = False) -> list[Row]:
    """Measure; a row is {name, value, goal, ok, sides}."""
    with contextlib.ExitStack() as stack:
        os.environ["DATABASE_URL"] = stack.enter_context(own_database(os.environ["DATABASE_URL"]))
        prepare_django()
        rows = writer(batches=10 if quick else 60)
        rows += partitions(200_000 if quick else 1_000_000)
        rows += pages(1_000_000 if quick else 10_000_000)
    return rows


def row(name: str, value: float | None, **sides: Any) -> Row:
    """One result; at least for the writer's ratio, at most for pages."""
    goal = GOALS.get(name)
    is_ok = None
    if goal is not None and value is not None:
        is_ok = value >= goal if name == "writer_over_copy" else value <= goal
    return {"name": name, "value": value, "goal": goal, "ok": is_ok, "sides": sides}


# --- the writer --------------------------------------------------------------------------------------------------


def writer(batches: int) -> list[Row]:
    """Taken in turn: a noisy machine disturbs both alike."""
    from django.db import connection, transaction

    from apps.core.partitions import ensure_partitions
    from apps.events.services import record_raw_events
    from tests.events import factories as make

    ensure_partitions(make.NOON)
    executions = [make.execution() for _ in range(20)]
    copied = _like_raw_events()
    hits = [
        [make.hit(executions[number % 20], place * 60 + number * 0.05) for number in range(BATCH)]
        for place in range(batches)
    ]
    spent: dict[str, list[float]] = {"writer": [], "copy": []}
    for batch in hits:
        started = time.perf_counter()
        with transaction.atomic():
            new = record_raw_events(batch)
        spent["writer"].append(time.perf_counter() - started)
        rows = _finished_rows(new)
        started = time.perf_counter()
        with (
            transaction.atomic(),
            connection.cursor() as cursor,
            cursor.copy(f"COPY {copied} FROM STDIN") as copy,
        ):
            for values in rows:
                copy.write_row(values)
        spent["copy"].append(time.perf_counter() - started)
    rates = {name: BATCH / statistics.median(values) for name, values in spent.items()}
    value = round(rates["writer"] / rates["copy"], 3)
    sides = {f"{name}_rows_per_s": round(rate) for name, rate in rates.items()}
    return [row("writer_over_copy", value, **sides, batch=BATCH, batches=batches)]


def _like_raw_events() -> str:
    """A table with the same columns, partitions, indexes and foreign keys."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_raw (LIKE events_rawevent INCLUDING ALL) PARTITION BY RANGE (id)")
        cursor.execute("CREATE TABLE bench_raw_rest PARTITION OF bench_raw DEFAULT")
        cursor.execute(
            "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c "
            "ON c.oid = i.inhrelid WHERE i.inhparent = 'events_rawevent'::regclass"
        )
        for name, bound in cursor.fetchall():
            if bound != "DEFAULT":
                cursor.execute(f"CREATE TABLE bench_{name} PARTITION OF bench_raw {bound}")
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conrelid = 'events_rawevent'::regclass AND contype = 'f'"
        )
        for (definition,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE bench_raw ADD {definition}")
    return "bench_raw"


def _finished_rows(ids: list[UUID]) -> list[tuple[Any, ...]]:
    """The stored rows as COPY takes them."""
    from django.db import connection
    from psycopg.types.json import Jsonb

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM events_rawevent WHERE id = ANY(%s)", [ids])
        names = [column.name for column in cursor.description]
        json_places = {names.index("targets"), names.index("context")}
        return [
            tuple(
                Jsonb(_parsed(value)) if place in json_places else value for place, value in enumerate(values)
            )
            for values in cursor.fetchall()
        ]


def _parsed(value: Any) -> Any:
    import json

    return json.loads(value) if isinstance(value, str) else value


# --- partitions --------------------------------------------------------------------------------------------------


def partitions(rows: int) -> list[Row]:
    """A month made by the leader's duty, filled, and dropped by the retention's; against deleting its rows."""
    from django.db import connection

    from apps.core.partitions import ensure_partitions
    from apps.core.retention import Partitions

    month = datetime(2030, 1, 1, tzinfo=UTC)
    made = _timed(lambda: ensure_partitions(month, months=3))
    with connection.cursor() as cursor:
        for start in (month, month + timedelta(days=31)):
            cursor.execute(_RAWS_SQL, {"rows": rows, "start": start, "seconds": 28 * 86400 / rows})
    kind = Partitions("events_rawevent", "")
    dropped = _timed(lambda: kind.delete(datetime(2030, 2, 1, tzinfo=UTC)))
    with connection.cursor() as cursor:
        deleted = _timed(lambda: cursor.execute("DELETE FROM events_rawevent_203002"))
        cursor.execute("DROP TABLE events_rawevent_203002")
    sides = {"rows": rows, "make_three_months_ms": made, "drop_ms": dropped, "delete_ms": deleted}
    return [row("partition_drop_over_delete", round(dropped / deleted, 4), **sides)]


_RAWS_SQL = """
INSERT INTO events_rawevent (id, execution_id, camera_id, preset, item_id, event_type_id, time, ordinal, targets, score,
    units, organisations, package_fingerprint, context, recorded_at)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
        || substr(md5(n::text), 4, 15))::uuid, gen_random_uuid(), c.id, 0, i.id, NULL, at, 0, '[]', 0.9, '{}', '{}', '',
    '{}', at
FROM generate_series(1, %(rows)s) AS n, LATERAL (SELECT %(start)s + n * %(seconds)s * interval '1 second' AS at) AS t,
    (SELECT id FROM devices_camera LIMIT 1) AS c, (SELECT id FROM algorithms_detectionitem LIMIT 1) AS i
"""


# --- pages -------------------------------------------------------------------------------------------------------


def pages(rows: int) -> list[Row]:
    """First and deep pages of the event library, last events of a camera, hours of a day."""
    from apps.core.pages import keyset_page
    from apps.events.models import Event

    started = time.perf_counter()
    everything, one_bureau, camera = city()
    fill(rows)
    filled = time.perf_counter() - started
    deep = deep_cursor(rows)
    found = []
    for ending, principal in (("", everything), ("_one_bureau", one_bureau)):

        def page(after: str, principal: Any = principal) -> int:
            events = Event.objects.all().visible_to(principal).listed()
            return len(keyset_page(events, {"after": after}, size=PAGE).rows)

        first, last = _median(lambda: page("")), _median(lambda: page(deep))
        assert page(deep) == PAGE
        sides = {
            "first_ms": first,
            "deep_ms": last,
            "page": f"{rows // 2 // PAGE:,}",
            "events": f"{rows:,}",
            "seconds_to_fill": round(filled),
            "gigabytes": gigabytes(),
        }
        found.append(row(f"deep_page_over_first{ending}", round(last / first, 2), **sides))
    events = Event.objects.all().visible_to(everything).listed()
    latest = _median(lambda: list(events.filter(camera=camera).order_by("-time")[:PAGE]))
    offset = _timed(lambda: list(events.order_by("-pk")[rows // 2 : rows // 2 + PAGE]))
    hours_of_camera = _median(lambda: hours(camera, days=7))
    hours_of_all = _median(lambda: hours(None, days=1), times=3)
    return [
        *found,
        row("last_of_a_camera_ms", latest, rows=PAGE),
        row("hours_of_a_camera_ms", hours_of_camera, days=7),
        row("hours_of_a_day_ms", hours_of_all, events_of_the_day=rows // 730),
        row("deep_page_by_offset_ms", offset, note="what a numbered page would cost"),
    ]


def city() -> tuple[Any, Any, UUID]:
    """Bureaus below one authority, cameras, types; (who manages all, who manages one bureau, a camera of it)."""
    from apps.devices.models import Camera
    from tests.support import factories

    top = factories.organisation()
    bureaus = [factories.organisation(top) for _ in range(BUREAUS)]
    cameras = [
        Camera(
            name=f"点位{number}", managing_organisation=bureaus[number % BUREAUS], longitude=120, latitude=30
        )
        for number in range(CAMERAS)
    ]
    Camera.objects.bulk_create(cameras)
    for _ in range(KINDS):
        factories.event_type()
    return factories.principal(top), factories.principal(bureaus[7]), cameras[7].pk


def fill(rows: int) -> None:
    """`rows` events over two years up to END, ids in order of time; indexes are built afterwards, all of them."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute("ALTER TABLE events_event DISABLE TRIGGER ALL")
        cursor.execute("SELECT indexdef, indexname FROM pg_indexes WHERE tablename = 'events_event'")
        indexes = [(text, name) for text, name in cursor.fetchall() if not _is_constraint(cursor, name)]
        for _text, name in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        cursor.execute("TRUNCATE events_event CASCADE")
        step = 2_000_000
        for start in range(0, rows, step):
            values = {"from": start + 1, "to": min(rows, start + step), "begin": END - timedelta(days=730)}
            cursor.execute(_EVENTS_SQL, {**values, "seconds": 730 * 86400 / rows})
        for text, _name in indexes:
            cursor.execute(text)
        cursor.execute("ALTER TABLE events_event ENABLE TRIGGER ALL")
        cursor.execute("VACUUM ANALYZE events_event")


def _is_constraint(cursor: Any, index: str) -> bool:
    cursor.execute("SELECT 1 FROM pg_constraint WHERE conname = %s", [index])
    return cursor.fetchone() is not None


_EVENTS_SQL = f"""
INSERT INTO events_event (id, created_at, updated_at, event_type_id, level, camera_id, preset, time, first_seen,
    last_seen, ended_at, expires_at, occurrences, targets, score, algorithm_version_id, address, raw_event_id,
    explanation, review_state, unsure_count, handling)
SELECT named.id, at, at, kinds.ids[1 + n %% array_length(kinds.ids, 1)], 'notice',
    cameras.ids[1 + (n * 7919) %% {CAMERAS}], 0, at, at, at, at, at, 1, '[]', 0.9,
    version.id, '', named.id, '{{}}', 'confirmed', 0, ''
FROM generate_series(%(from)s::bigint, %(to)s::bigint) AS n,
    LATERAL (SELECT %(begin)s + n * %(seconds)s * interval '1 second' AS at) AS t,
    LATERAL (SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3)
        || '8' || substr(md5(n::text), 4, 15))::uuid AS id) AS named,
    (SELECT array_agg(id) AS ids FROM algorithms_eventtype) AS kinds,
    (SELECT array_agg(id) AS ids FROM (SELECT id FROM devices_camera ORDER BY id DESC LIMIT {CAMERAS}) AS c) AS cameras,
    (SELECT id FROM algorithms_algorithmversion LIMIT 1) AS version
"""


def deep_cursor(rows: int) -> str:
    """The id in the middle of all events."""
    from apps.core.ids import id_floor

    return str(id_floor(END - timedelta(days=365)))


def hours(camera: UUID | None, *, days: int) -> int:
    """Events by hour of the last days."""
    from django.db.models import Count
    from django.db.models.functions import TruncHour

    from apps.core.ids import id_floor
    from apps.events.models import Event

    events = Event.objects.filter(camera=camera, time__gte=END - timedelta(days=days))
    if camera is None:
        events = Event.objects.filter(pk__gte=id_floor(END - timedelta(days=days)))
    return len(
        events.annotate(hour=TruncHour("time")).values("hour").annotate(number=Count("pk")).order_by("hour")
    )


def gigabytes() -> float:
    """The size of this bench's database."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return round(cursor.fetchone()[0] / 2**30, 2)


def _timed(work: Callable[[], object]) -> float:
    """Milliseconds of one go."""
    started = time.perf_counter()
    work()
    return round((time.perf_counter() - started) * 1000, 2)


def _median(work: Callable[[], object], times: int = 15) -> float:
    """Median milliseconds, after one go to warm up."""
    work()
    return round(statistics.median(_timed(work) for _ in range(times)), 2)


if __name__ == "__main__":
    for line in run(quick=True):
        print(line)
