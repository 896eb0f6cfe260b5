"""When plans are active, as a table (times are Asia/Shanghai)."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from apps.analysis.models import Plan
from apps.analysis.selectors.plans import SHANGHAI, PlanError, minute_of, plan_times

CALENDAR = {date(2026, 10, 1): False, date(2026, 10, 10): True}  # National Day; a Saturday made a workday
OFFICE = [{"days": [1, 2, 3, 4, 5], "begin": "08:30", "end": "17:00"}]
NIGHT = [{"days": [5], "begin": "22:00", "end": "06:00"}]
TO_MIDNIGHT = [{"begin": "18:00", "end": "24:00"}]
ROUND = [{"days": [1], "begin": "08:00", "end": "08:00"}]


@pytest.mark.parametrize(
    ("kind", "periods", "moment", "active"),
    [
        ("all_day", [], "2026-11-21 03:00", True),
        ("all_day", [{"days": [], "begin": "01:00", "end": "02:00"}], "2026-11-21 03:00", True),
        ("periods", OFFICE, "2026-11-20 08:29", False),
        ("periods", OFFICE, "2026-11-20 08:30", True),
        ("periods", OFFICE, "2026-11-20 16:59", True),
        ("periods", OFFICE, "2026-11-20 17:00", False),
        ("periods", OFFICE, "2026-11-21 10:00", False),
        ("periods", NIGHT, "2026-11-20 21:59", False),
        ("periods", NIGHT, "2026-11-20 23:00", True),
        ("periods", NIGHT, "2026-11-21 05:59", True),
        ("periods", NIGHT, "2026-11-21 06:00", False),
        ("periods", NIGHT, "2026-11-22 01:00", False),
        ("periods", TO_MIDNIGHT, "2026-11-20 23:59", True),
        ("periods", TO_MIDNIGHT, "2026-11-21 00:00", False),
        ("periods", ROUND, "2026-11-23 08:00", True),
        ("periods", ROUND, "2026-11-24 07:59", True),
        ("periods", ROUND, "2026-11-24 08:00", False),
        ("periods", [{"days": [], "begin": "00:00", "end": "24:00"}], "2026-11-20 12:00", False),
        ("periods", [], "2026-11-20 12:00", False),
        ("workdays", [], "2026-11-20 12:00", True),
        ("workdays", [], "2026-11-21 12:00", False),
        ("workdays", [], "2026-10-01 12:00", False),
        ("workdays", [], "2026-10-10 12:00", True),
        ("workdays", TO_MIDNIGHT, "2026-10-10 19:00", True),
        ("workdays", TO_MIDNIGHT, "2026-10-10 12:00", False),
    ],
)
def test_plan_is_active(kind: str, periods: list, moment: str, active: bool) -> None:
    plan = Plan(kind=kind, periods=periods)
    at = datetime.strptime(moment, "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)
    assert plan_times(plan, CALENDAR).is_active(at) is active


@pytest.mark.parametrize("text", ["24:01", "8", "08:60", "ab:cd", "08:5", ""])
def test_a_damaged_time_is_refused(text: str) -> None:
    with pytest.raises(PlanError):
        minute_of(text)


@pytest.mark.parametrize("period", [{"begin": "24:00", "end": "24:00"}, {"days": [0]}, {"days": [8]}])
def test_a_damaged_period_is_refused(period: dict) -> None:
    with pytest.raises(PlanError):
        plan_times(Plan(kind="periods", periods=[period]), {})
