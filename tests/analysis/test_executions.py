"""Units that fit share one execution; the rest waits with a reason."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.analysis.models import AnalysisTask, AnalysisUnit, Execution
from apps.analysis.services import (
    create_task,
    ensure_scene,
    save_scene_rule,
    stop_task,
    submit_task,
    sync_executions,
)
from apps.core import clock
from apps.core.errors import Conflict, NotAllowed, Refusal
from tests.support import factories
from tests.support.analysis import arranger, builtin_version, executions_of, running_task

pytestmark = pytest.mark.django_db
SQUARE = {
    "type": "Polygon",
    "space": "image-norm",
    "preset": 0,
    "coordinates": [[[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]],
}


def test_two_tasks_share_one_execution_at_the_shortest_interval() -> None:
    home = factories.organisation()
    camera, version = factories.camera(home, address="http://10.0.0.1/a"), builtin_version()
    slow = running_task(home, [camera], [version], interval=60)
    fast = running_task(home, [camera], [version], interval=20)
    assert executions_of(slow) == executions_of(fast)
    execution = Execution.objects.get()
    assert (execution.interval, execution.state) == (20, "running")
    assert slow.state == fast.state == "running"


def test_the_execution_ends_with_its_last_unit_and_grows_slower_before() -> None:
    home = factories.organisation()
    by = arranger(home)
    camera, version = factories.camera(home, address="http://10.0.0.1/a"), builtin_version()
    slow = running_task(home, [camera], [version], interval=60)
    fast = running_task(home, [camera], [version], interval=20)
    stop_task(by=by, task=fast)
    sync_executions()
    assert Execution.objects.get().interval == 60
    stop_task(by=by, task=slow)
    sync_executions()
    assert Execution.objects.get().state == "stopped"


def test_an_execution_comes_back_with_a_new_demand() -> None:
    home = factories.organisation()
    camera, version = factories.camera(home, address="http://10.0.0.1/a"), builtin_version()
    task = running_task(home, [camera], [version])
    stop_task(by=arranger(home), task=task)
    sync_executions()
    running_task(home, [camera], [version])
    assert [row.state for row in Execution.objects.all()] == ["running"]


@pytest.mark.parametrize(
    "difference", [{"sampling": "keyframes", "interval": 5}, {"parameters": {"sensitivity": 0.9}}]
)
def test_what_differs_is_not_shared(difference: dict) -> None:
    home = factories.organisation()
    camera, version = factories.camera(home, address="http://10.0.0.1/a"), builtin_version()
    one = running_task(home, [camera], [version])
    other = running_task(home, [camera], [version], **difference)
    assert executions_of(one) != executions_of(other)
    assert Execution.objects.count() == 2


@pytest.mark.parametrize("reason", ["camera_disabled", "no_stream", "package_not_ready", "item_unmapped"])
def test_a_unit_that_cannot_run_says_why(reason: str) -> None:
    home = factories.organisation()
    version = builtin_version()
    camera = factories.camera(home, address="" if reason == "no_stream" else "http://10.0.0.1/a")
    if reason == "camera_disabled":
        type(camera).objects.update(is_enabled=False)
    if reason == "package_not_ready":
        version.packages.update(state="checking")
    if reason == "item_unmapped":
        version.algorithm.items.update(mapping_state="proposed")
    task = running_task(home, [camera], [version])
    unit = AnalysisUnit.objects.get()
    assert (unit.waiting_reason, unit.execution) == (reason, None)
    assert task.state == "arranging"


def test_outside_its_plan_a_unit_waits_but_keeps_its_execution() -> None:
    home = factories.organisation()
    plan = factories.plan(home, kind="periods", periods=[{"days": [], "begin": "00:00", "end": "24:00"}])
    camera = factories.camera(home, address="http://10.0.0.1/a")
    running_task(home, [camera], [builtin_version()], plan=plan)
    unit = AnalysisUnit.objects.get()
    assert unit.waiting_reason == "outside_plan"
    assert unit.execution is not None


def test_the_spec_takes_the_task_s_organisation_rule_before_the_managers() -> None:
    home, guest = factories.organisation(), factories.organisation()
    camera, version = factories.camera(home, address="http://10.0.0.1/a"), builtin_version()
    factories.grant_access(camera, guest, ("view", "analyse"))
    scene = ensure_scene(camera=camera)
    host, visitor = arranger(home), arranger(guest)
    save_scene_rule(by=host, scene=scene, algorithm=version.algorithm, regions=[SQUARE])
    task = running_task(guest, [camera], [version])
    spec = executions_of(task)[0].spec
    assert spec["regions"] == [SQUARE]
    assert spec["parameters"] == {"sensitivity": 0.5}
    assert spec["analyser"] == "intrusion"
    save_scene_rule(by=visitor, scene=scene, algorithm=version.algorithm, parameters={"sensitivity": 0.8})
    sync_executions()
    execution = Execution.objects.exclude(state="stopped").get()
    assert execution.spec["regions"] == []
    assert execution.spec["parameters"] == {"sensitivity": 0.8}
    assert execution.spec["execution"] == str(execution.pk)


def test_a_rule_is_immutable_and_versions_count() -> None:
    home = factories.organisation()
    camera, version = factories.camera(home), builtin_version()
    by, scene = arranger(home), ensure_scene(camera=camera)
    first = save_scene_rule(by=by, scene=scene, algorithm=version.algorithm, regions=[SQUARE])
    second = save_scene_rule(by=by, scene=scene, algorithm=version.algorithm, seen_version=1)
    first.refresh_from_db()
    assert (first.version, second.version, first.is_current, second.is_current) == (1, 2, False, True)
    assert first.regions == [SQUARE]
    with pytest.raises(Conflict) as stale:
        save_scene_rule(by=by, scene=scene, algorithm=version.algorithm, seen_version=1)
    assert stale.value.code == "rule_changed"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"regions": [{**SQUARE, "coordinates": [[[0, 0], [2, 2], [3, 0]]]}]}, "bad_shape"),
        ({"regions": [{"type": "Point"}]}, "bad_shape"),
        ({"parameters": {"sensitivity": "high"}}, "bad_parameter"),
    ],
)
def test_a_damaged_rule_is_refused(change: dict, code: str) -> None:
    home = factories.organisation()
    scene, version = ensure_scene(camera=factories.camera(home)), builtin_version()
    with pytest.raises(Refusal) as refusal:
        save_scene_rule(by=arranger(home), scene=scene, algorithm=version.algorithm, **change)
    assert refusal.value.code == code


def test_a_foreign_camera_cannot_be_analysed() -> None:
    home, stranger = factories.organisation(), factories.organisation()
    camera = factories.camera(home, address="http://10.0.0.1/a")
    factories.grant_access(camera, stranger, ("view", "live"))
    by = arranger(stranger)
    with pytest.raises(Refusal) as refusal:
        create_task(
            by=by, name="x", cameras=[camera], versions=[builtin_version()], plan=factories.plan(stranger)
        )
    assert refusal.value.code == "camera_not_yours"
    assert not AnalysisTask.objects.exists()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"interval": 1}, "interval_out_of_range"),
        ({"interval": float("nan")}, "interval_out_of_range"),
        ({"sampling": "never"}, "sampling_unknown"),
        ({"name": "  "}, "name_missing"),
        ({"valid_to": clock.now() - timedelta(hours=1)}, "task_over"),
    ],
)
def test_a_task_that_makes_no_sense_is_refused(fields: dict, code: str) -> None:
    home = factories.organisation()
    values = {
        "name": "x",
        "cameras": [factories.camera(home)],
        "versions": [builtin_version()],
        "plan": factories.plan(home),
        **fields,
    }
    with pytest.raises(Refusal) as refusal:
        create_task(by=arranger(home), **values)
    assert refusal.value.code == code


def test_a_role_without_the_ability_cannot_make_a_task() -> None:
    home = factories.organisation()
    by = factories.principal(home, roles=("maintainer",))
    with pytest.raises(NotAllowed):
        create_task(by=by, name="x", cameras=[], versions=[], plan=factories.plan(home))


def test_a_task_is_submitted_once() -> None:
    home = factories.organisation()
    by, camera = arranger(home), factories.camera(home, address="http://10.0.0.1/a")
    task = create_task(
        by=by, name="x", cameras=[camera], versions=[builtin_version()], plan=factories.plan(home)
    )
    assert task.state == "draft"
    submit_task(by=by, task=task)
    with pytest.raises(Conflict):
        submit_task(by=by, task=task)


def test_a_task_past_its_end_expires() -> None:
    home = factories.organisation()
    camera = factories.camera(home, address="http://10.0.0.1/a")
    task = running_task(home, [camera], [builtin_version()], valid_to=clock.now() + timedelta(hours=1))
    AnalysisTask.objects.update(valid_to=clock.now() - timedelta(seconds=1))
    sync_executions()
    task.refresh_from_db()
    assert task.state == "expired"
    assert Execution.objects.get().state == "stopped"
