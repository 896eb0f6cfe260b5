"""The planner: where slots lie, who is due on them, what is handed out and swept."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from apps.analysis.models import (
    AnalysisTask,
    AnalysisUnit,
    CaptureSlot,
    Execution,
    ExecutionHour,
    Plan,
)
from apps.analysis.planner.grid import is_due, next_index, phase_of, slot_time
from apps.analysis.planner.heap import Agenda, Wanted
from apps.analysis.planner.tick import GRACE, Planner
from apps.analysis.planner.wanted import wanted_executions
from apps.analysis.selectors.demand import Demand
from apps.analysis.selectors.plans import WHOLE_DAY, PlanTimes
from apps.analysis.services import bump_revision, lease_for_capture, mark_captured, write_slots
from apps.analysis.services.slots import MOST_ROWS
from apps.core import clock
from tests.support import factories
from tests.support.analysis import builtin_version, executions_of, running_task

START = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
ALWAYS = (Demand(PlanTimes((WHOLE_DAY,), False, {}), None),)
NEVER = (Demand(PlanTimes((), False, {}), None),)


def wanted(camera: uuid.UUID, interval: float, demands: tuple = ALWAYS) -> Wanted:
    return Wanted(uuid.uuid4(), camera, 0, interval, demands)


@pytest.mark.parametrize(
    ("base", "interval", "due"),
    [
        (10, 10, [0, 1, 2, 3, 4, 5]),
        (10, 20, [0, 2, 4]),
        (10, 30, [0, 3]),
        (10, 15, [0, 2, 3, 5]),  # due at 0, 15, 30, 45: the first slot at or after each
        (10, 25, [0, 3, 5]),
        (7, 10, [0, 2, 3, 5]),  # 0, 10, 20, 30 → 0, 14, 21, 35
    ],
)
def test_who_takes_which_slot(base: float, interval: float, due: list[int]) -> None:
    assert [index for index in range(6) if is_due(0.0, base, index, interval)] == due


def test_an_execution_is_taken_once_per_interval_on_average() -> None:
    taken = sum(is_due(3.2, 7.0, index, 60.0) for index in range(1000, 1000 + 6000))
    assert taken == 6000 * 7 // 60


def test_phases_are_stable_and_spread() -> None:
    cameras = [uuid.UUID(int=number) for number in range(1000)]
    phases = [phase_of(camera, 0, 10.0) for camera in cameras]
    assert phases == [phase_of(camera, 0, 10.0) for camera in cameras]
    cells = Counter(int(phase) for phase in phases)
    assert set(cells) == set(range(10))
    assert max(cells.values()) < 150


def test_slots_lie_on_the_camera_s_grid_and_two_planners_agree() -> None:
    camera = uuid.uuid4()
    fast, slow = wanted(camera, 10), wanted(camera, 30)
    first = Agenda([fast, slow], START).pop(START + timedelta(minutes=1))
    again = Agenda([slow, fast], START).pop(START + timedelta(minutes=1))
    assert [slot.id for slot in first] == [slot.id for slot in again]
    assert len(first) == 6
    phase = phase_of(camera, 0, 10.0)
    index = next_index(phase, 10.0, START.timestamp())
    assert first[0].planned_at.timestamp() == pytest.approx(slot_time(phase, 10.0, index))
    assert sum(fast.execution in slot.executions for slot in first) == 6
    assert sum(slow.execution in slot.executions for slot in first) == 2


def test_nothing_is_planned_outside_the_plan_or_after_the_end() -> None:
    camera = uuid.uuid4()
    over = (Demand(PlanTimes((WHOLE_DAY,), False, {}), START + timedelta(seconds=30)),)
    assert Agenda([wanted(camera, 10, NEVER)], START).pop(START + timedelta(minutes=5)) == []
    slots = Agenda([wanted(camera, 10, over)], START).pop(START + timedelta(minutes=5))
    assert 2 <= len(slots) <= 3


def test_a_pop_goes_on_where_the_last_ended() -> None:
    agenda = Agenda([wanted(uuid.uuid4(), 10)], START)
    steps = [agenda.pop(START + timedelta(seconds=second)) for second in range(0, 61, 5)]
    times = [slot.planned_at for step in steps for slot in step]
    assert len(times) == len(set(times)) == 6
    assert times == sorted(times)


@pytest.mark.django_db
class TestTick:
    def setup_method(self) -> None:
        self.home = factories.organisation()
        self.camera = factories.camera(self.home, address="http://10.0.0.1/a.ts")
        self.task = running_task(self.home, [self.camera], [builtin_version()], interval=10)

    def test_planning_twice_is_one_row(self) -> None:
        now = clock.now()
        first, second = Planner().tick(now), Planner().tick(now)
        assert first.planned >= 1
        assert second.planned == 0
        assert CaptureSlot.objects.count() == first.planned

    def test_due_slots_are_handed_out_once_and_again_after_the_lease(self) -> None:
        now = clock.now() + timedelta(seconds=20)
        planner = Planner()
        planner.tick(now - timedelta(seconds=12))
        first = planner.tick(now)
        assert sum(map(len, first.capture)) >= 1
        assert planner.tick(now).capture == []

    def test_a_slot_nobody_took_says_so(self) -> None:
        planner, now = Planner(), clock.now()
        planner.tick(now)
        planner.tick(now + timedelta(minutes=3))
        slot = CaptureSlot.objects.order_by("planned_at").first()
        assert slot is not None
        execution = executions_of(self.task)[0]
        assert (slot.state, slot.reason, slot.open) == ("not_captured", "no_worker", 0)
        assert slot.results[str(execution.pk)]["outcome"] == "not_analysed"
        assert sum(ExecutionHour.objects.values_list("not_analysed", flat=True)) >= 1

    def test_a_picture_nobody_analysed_in_time_says_so(self) -> None:
        planner, now = Planner(), clock.now()
        planner.tick(now)
        slot = CaptureSlot.objects.order_by("planned_at").first()
        assert slot is not None
        leased = lease_for_capture([slot.pk], node="n")
        assert mark_captured(leased[0], frame="/nowhere/x.jpg", node="n", captured_at=now)
        tick = Planner().tick(slot.deadline + GRACE + timedelta(seconds=40))
        slot.refresh_from_db()
        assert tick.frames == ["/nowhere/x.jpg"]
        assert {result["reason"] for result in slot.results.values()} == {"analysis_late"}

    def test_a_newer_list_of_executions_replaces_the_planned_one(self) -> None:
        now = clock.now()
        execution = executions_of(self.task)[0]
        slots = Agenda([Wanted(execution.pk, self.camera.pk, 0, 10, ALWAYS)], now).pop(
            now + timedelta(seconds=11)
        )
        assert write_slots(slots) == len(slots)
        other = uuid.uuid4()
        items = [Wanted(key, self.camera.pk, 0, 10, ALWAYS) for key in (execution.pk, other)]
        again = Agenda(items, now).pop(now + timedelta(seconds=11))
        write_slots(again)
        assert CaptureSlot.objects.count() == len(slots)
        assert set(CaptureSlot.objects.first().executions) == {execution.pk, other}

    def test_slots_cost_little(self) -> None:
        """5,000 executions need a handful of statements, not thousands."""
        items = [Wanted(uuid.uuid4(), self.camera.pk, preset, 10, ALWAYS) for preset in range(5000)]
        now = clock.now()
        slots = Agenda(items, now).pop(now + timedelta(seconds=10))
        assert write_slots(slots) == len(slots) >= 4990


@pytest.mark.django_db
def test_a_stopped_task_ends_its_execution_and_its_slots() -> None:
    home = factories.organisation()
    camera = factories.camera(home, address="http://10.0.0.1/a.ts")
    task = running_task(home, [camera], [builtin_version()], interval=10)
    from apps.analysis.services import stop_task, sync_executions
    from tests.support.analysis import arranger

    stop_task(by=arranger(home), task=task)
    sync_executions()
    assert Execution.objects.get().state == "stopped"
    assert AnalysisUnit.objects.get().execution is None
    assert Planner().tick(clock.now()).planned == 0


CHANGES: dict[str, Callable[[AnalysisTask], object]] = {
    "unit gone": lambda task: task.units.all().delete(),
    "task stopped": lambda task: AnalysisTask.objects.update(state="stopped"),
    "task ends": lambda task: AnalysisTask.objects.update(valid_to=clock.now() - timedelta(seconds=1)),
    "plan": lambda task: Plan.objects.update(kind="periods", periods=[]),
    "execution stopped": lambda task: Execution.objects.update(state="stopped"),
}


@pytest.mark.django_db
class TestAgenda:
    """Kept between beats; what nobody told the planner of is seen at its next look at the rows."""

    def setup_method(self) -> None:
        home = factories.organisation()
        cameras = [factories.camera(home, address=f"http://10.0.0.{number}/a.ts") for number in (1, 2)]
        self.task = running_task(home, cameras, [builtin_version()], interval=10)
        self.planner, self.now = Planner(), clock.now()
        self.planner.tick(self.now)

    def test_rows_that_say_the_same_are_not_read_again(self) -> None:
        agenda = self.planner._agenda
        Execution.objects.update(last_outcome="clear", last_result_at=self.now)
        for seconds in (1, 61, 122):
            self.planner.tick(self.now + timedelta(seconds=seconds))
        assert self.planner._agenda is agenda

    @pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
    def test_a_change_without_word_is_seen_within_a_minute(
        self, change: Callable[[AnalysisTask], object]
    ) -> None:
        assert self.planner.tick(self.now + timedelta(seconds=50)).planned >= 1
        change(self.task)
        self.planner.tick(self.now + timedelta(seconds=61))
        assert self.planner.tick(self.now + timedelta(seconds=90)).planned == 0

    def test_an_interval_that_changed_without_word_is_seen(self) -> None:
        Execution.objects.update(interval=20)
        self.planner.tick(self.now + timedelta(seconds=61))
        assert self.planner._agenda is not None
        slots = self.planner._agenda.pop(self.now + timedelta(seconds=186))
        assert len(slots) == 12

    def test_a_new_revision_is_seen_at_once(self) -> None:
        agenda = self.planner._agenda
        bump_revision()
        self.planner.tick(self.now + timedelta(seconds=1))
        assert self.planner._agenda is not agenda


@pytest.mark.django_db
def test_units_of_several_tasks_and_versions_are_one_line_where_they_tick_alike() -> None:
    home = factories.organisation()
    camera = factories.camera(home, address="http://10.0.0.1/a.ts")
    first, second = builtin_version(), builtin_version()
    one = running_task(home, [camera], [first, second], interval=10)
    running_task(home, [camera], [first], interval=10)
    running_task(home, [camera], [first], interval=30, parameters={"sensitivity": 0.3})
    wanted = wanted_executions()
    assert {(item.execution, item.interval) for item in wanted} == set(
        Execution.objects.values_list("id", "interval")
    )
    agenda = Agenda(wanted, START)
    assert len(agenda) == len(wanted) == 3
    slots = agenda.pop(START + timedelta(minutes=1))
    assert Counter(len(slot.executions) for slot in slots) == {2: 4, 3: 2}
    assert {each.pk for each in executions_of(one)} <= set(slots[0].executions)


@pytest.mark.django_db
def test_more_slots_than_one_statement_takes() -> None:
    camera = factories.camera(factories.organisation())
    items = [Wanted(uuid.uuid4(), camera.pk, preset, 10, ALWAYS) for preset in range(6000)]
    slots = Agenda(items, START).pop(START + timedelta(seconds=10))
    assert write_slots(slots) == len(slots) > MOST_ROWS
    assert write_slots(slots) == 0
    row = CaptureSlot.objects.get(pk=slots[-1].id)
    assert (row.planned_at, row.deadline) == (slots[-1].planned_at, slots[-1].deadline)
    assert (row.executions, row.open, row.state) == ([*slots[-1].executions], 1, "planned")
    assert write_slots([]) == 0
