"""The regular check of executions: a full look only where something they depend on is not what it was."""

from __future__ import annotations

import time

from django.db import connection

from apps.analysis.selectors.demand import ACTIVE_TASKS
from apps.analysis.selectors.plans import times_of
from apps.analysis.services.sync import SyncResult, sync_executions
from apps.core import clock

OLDEST_S = 600.0
"""After so many seconds everything is looked at whatever the stamp says."""
Stamp = tuple[object, ...]

_CHANGED = (
    "analysis_analysistask",
    "analysis_plan",
    "analysis_scene",
    "algorithms_algorithmversion",
    "algorithms_algorithmpackage",
    "devices_camera",
    "devices_stream",
)
_ROWS = ", ".join(
    f"(SELECT ROW(count(*), max(updated_at), max(id::text))::text FROM {table})"  # noqa: S608 - own names
    for table in _CHANGED
)
STAMP_SQL = f"""
SELECT {_ROWS},
    (SELECT ROW(count(*), max(id::text))::text FROM analysis_analysisunit),
    (SELECT ROW(count(*), count(*) FILTER (WHERE is_current), max(id::text))::text FROM analysis_scenerule),
    (SELECT md5(string_agg(ROW(id, mapping_state, event_type_id)::text, '' ORDER BY id))
        FROM algorithms_detectionitem),
    (SELECT ROW(count(*), max(id::text))::text FROM analysis_workcalendarday),
    (SELECT count(*) FROM analysis_analysistask WHERE state = 'running' AND valid_to <= %s),
    (SELECT count(*) FROM analysis_execution),
    (SELECT count(*) FROM analysis_execution WHERE state = 'failed')
"""  # noqa: S608 - own names
_last: tuple[Stamp, float] | None = None


def sync_when_changed() -> SyncResult | None:
    """Sync where anything changed since this process did so last; None where nothing did.

    A plan that begins or ends is a change, since units say whether it is their time. Executions that failed are always
    a reason: the sync tries them again.
    """
    global _last
    (stamp, failed), moment = _stamp(), time.monotonic()
    if not failed and _last is not None and _last[0] == stamp and moment - _last[1] < OLDEST_S:
        return None
    result = sync_executions()
    # the stamp of before: what changed meanwhile, also by the sync itself, is looked at once more
    _last = stamp, moment
    return result


def _stamp() -> tuple[Stamp, int]:
    """What executions depend on, and how many have failed and are to be tried again."""
    with connection.cursor() as cursor:
        cursor.execute(STAMP_SQL, [clock.now()])
        *row, failed = cursor.fetchone()
        cursor.execute(
            "SELECT DISTINCT plan_id FROM analysis_analysistask WHERE state = ANY(%s)", [list(ACTIVE_TASKS)]
        )
        plans = [plan for (plan,) in cursor.fetchall()]
    now = clock.now()
    active = frozenset(plan for plan, times in times_of(plans).items() if times.is_active(now))
    return (*row, active), int(failed)
