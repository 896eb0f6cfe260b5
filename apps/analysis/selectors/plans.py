"""When a plan is active: Asia/Shanghai, to the minute, over midnight, workdays by calendar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apps.analysis.choices import PlanKind
from apps.analysis.models import Plan, WorkCalendarDay

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY_MINUTES = 24 * 60
EVERY_DAY = frozenset(range(1, 8))


class PlanError(ValueError):
    """A period that cannot be understood; the message says why."""


def minute_of(text: str) -> int:
    """Minutes since midnight of "HH:MM"; "24:00" is 1440. Raises PlanError."""
    hours, colon, minutes = str(text).partition(":")
    if not colon or not (hours.isdigit() and minutes.isdigit() and len(minutes) == 2):
        raise PlanError(f"{text!r} is not a time like 08:30")
    value = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or value > DAY_MINUTES:
        raise PlanError(f"{text!r} is later than 24:00")
    return value


@dataclass(frozen=True, slots=True)
class Period:
    """Weekdays (1 = Monday) on which it begins, and minutes [begin, end); end > 1440 runs into the next day."""

    days: frozenset[int]
    begin: int
    end: int

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Period:
        """From `{"days": [1..7], "begin": "08:00", "end": "24:00"}`: no days key is every day, an empty list none."""
        begin, end = minute_of(data.get("begin", "00:00")), minute_of(data.get("end", "24:00"))
        if begin == DAY_MINUTES:
            raise PlanError("a period cannot begin at 24:00")
        days = frozenset(int(day) for day in data["days"]) if "days" in data else EVERY_DAY
        if not days <= EVERY_DAY:
            raise PlanError("days are 1 (Monday) to 7 (Sunday)")
        return cls(days, begin, end + DAY_MINUTES if end <= begin else end)


@dataclass(frozen=True, slots=True)
class PlanTimes:
    """A plan made ready to be asked; `workdays` narrows the days on which a period may begin."""

    periods: tuple[Period, ...]
    workdays: bool
    calendar: Mapping[date, bool]

    def is_active(self, at: datetime) -> bool:
        """True when `at` (aware) lies inside a period."""
        local = at.astimezone(SHANGHAI)
        minute = local.hour * 60 + local.minute
        today, yesterday = local.date(), local.date() - timedelta(days=1)
        for period in self.periods:
            if period.begin <= minute < period.end and self._begins(period, today):
                return True
            if minute < period.end - DAY_MINUTES and self._begins(period, yesterday):
                return True
        return False

    def _begins(self, period: Period, day: date) -> bool:
        if day.isoweekday() not in period.days:
            return False
        return not self.workdays or self.calendar.get(day, day.isoweekday() <= 5)


WHOLE_DAY = Period(EVERY_DAY, 0, DAY_MINUTES)


def plan_times(plan: Plan, calendar: Mapping[date, bool]) -> PlanTimes:
    """The plan's times. ALL_DAY ignores periods; WORKDAYS without periods is the whole workday."""
    if plan.kind == PlanKind.ALL_DAY:
        return PlanTimes((WHOLE_DAY,), False, calendar)
    periods = tuple(Period.parse(item) for item in plan.periods)
    if plan.kind == PlanKind.WORKDAYS:
        return PlanTimes(periods or (WHOLE_DAY,), True, calendar)
    return PlanTimes(periods, False, calendar)


def work_calendar() -> dict[date, bool]:
    """Days that differ from their weekday."""
    return dict(WorkCalendarDay.objects.values_list("date", "is_workday"))


def is_active(plan: Plan, at: datetime) -> bool:
    """True when the plan runs at `at`."""
    return plan_times(plan, work_calendar()).is_active(at)


def times_of(plan_ids: Iterable[Any]) -> dict[Any, PlanTimes]:
    """Plan id → its times; a plan whose periods are damaged is never active."""
    calendar = work_calendar()
    found = {}
    for plan in Plan.objects.filter(pk__in=set(plan_ids)):
        try:
            found[plan.pk] = plan_times(plan, calendar)
        except (PlanError, ValueError, TypeError, AttributeError):
            found[plan.pk] = PlanTimes((), False, calendar)
    return found
