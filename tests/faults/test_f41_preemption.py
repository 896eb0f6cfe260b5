"""F41: a full device is taken from lower priorities, only where they allow it, and what was decided can be read."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from apps.analysis.models import Execution
from apps.analysis.selectors import reason_words
from apps.analysis.services import create_task, stop_task, sync_executions
from apps.core.errors import NotAllowed
from tests.support import factories
from tests.support.analysis import arranger, builtin_version, running_task
from tests.support.fake_gpu import Gpu, on_gpu
from tests.vision.engine_models import frame, jpeg, moment, spec
from workers.vision.inference import Engine, FrameRef, compile_spec
from workers.vision.inference.children import EngineChildren

ONE = 150
"""Bytes: room for one model and its runs."""


def reason(engine: Any, execution: dict[str, Any], picture: Any = None) -> str:
    """Analyse once; why it was not done, or nothing."""
    found: str = engine.analyse(picture or frame(), [execution])[0]["reason"]
    return found


def nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if all claims were old."""
    monkeypatch.setattr("workers.vision.inference.precedence.HOLD_SECONDS", -1.0)


@pytest.mark.parametrize("is_allowed", [True, False])
def test_f41_a_higher_priority_takes_the_room_only_where_that_is_allowed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, is_allowed: bool
) -> None:
    gpu = Gpu(ONE)
    engine = Engine(open_model=gpu.open)
    low, high = on_gpu(tmp_path, "a", 1, preemptible=is_allowed), on_gpu(tmp_path, "b", 5)
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            assert (reason(engine, low), reason(engine, high)) == ("", "")

    stats = engine.stats()
    if is_allowed:
        assert gpu.places("b")[-1] == "cuda"
        assert gpu.places("a") == ["cuda", "cuda", "cuda", "cpu"], "it tried once more, then went to the CPU"
        assert stats["preempted"] == 1
        told = stats["preemptions"][0]
        assert (told["model"], told["priority"], told["by"], told["by_priority"]) == (
            "a" * 64,
            1,
            "b" * 64,
            5,
        )
        assert "model aaaaaaaaaaaa (priority 1) is pre-empted by model b (priority 5)" in caplog.text
    else:
        assert gpu.places("a") == ["cuda"], "it was left where it is"
        assert gpu.places("b")[-1] == "cpu"
        assert stats["preempted"] == 0


def test_f41_a_lower_priority_pushes_nobody_out(tmp_path: Path) -> None:
    gpu = Gpu(ONE)
    engine = Engine(open_model=gpu.open)
    high, low = on_gpu(tmp_path, "a", 5, preemptible=True), on_gpu(tmp_path, "b", 1)
    for _ in range(5):
        assert (reason(engine, high), reason(engine, low)) == ("", "")
    assert (gpu.places("a"), gpu.places("b")[-1]) == (["cuda"], "cpu")
    assert engine.stats()["preempted"] == 0


def test_f41_a_model_that_somebody_shares_who_did_not_allow_it_stays(tmp_path: Path) -> None:
    gpu = Gpu(ONE)
    engine = Engine(open_model=gpu.open)
    shared = [on_gpu(tmp_path, "a", 1, preemptible=True), on_gpu(tmp_path, "a", 0)]
    assert [each["reason"] for each in engine.analyse(frame(), shared)] == ["", ""]
    assert reason(engine, on_gpu(tmp_path, "b", 9)) == ""
    assert (gpu.places("a"), gpu.places("b")[-1]) == (["cuda"], "cpu")


def test_f41_what_runs_ends_before_its_room_is_taken(tmp_path: Path) -> None:
    gpu = Gpu(ONE)
    engine = Engine(open_model=gpu.open)
    low, high = on_gpu(tmp_path, "a", preemptible=True), on_gpu(tmp_path, "b", 5)
    gpu.slow = "a"
    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(reason, engine, low)
        assert gpu.running.wait(30)
        taking = pool.submit(reason, engine, high)
        while "cuda" not in gpu.places("b"):
            pass
        assert not taking.done()
        gpu.may_end.set()
        assert (running.result(30), taking.result(30)) == ("", "")
    assert gpu.places("b")[-1] == "cuda"
    assert gpu.free == ONE - 100, "the first was closed, once"


def test_f41_what_finds_no_room_anywhere_says_that_it_was_pre_empted_and_rests(tmp_path: Path) -> None:
    gpu = Gpu(ONE, cpu=0)
    engine = Engine(open_model=gpu.open)
    low, high = on_gpu(tmp_path, "a", preemptible=True), on_gpu(tmp_path, "b", 5)
    assert (reason(engine, low), reason(engine, high)) == ("", "")
    assert {reason(engine, low) for _ in range(20)} == {"preempted"}
    assert len(gpu.places("a")) == 4, "no loop of opening"
    assert "priority" in reason_words("preempted")


def test_f41_it_comes_back_once_nobody_asks_for_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = Gpu(ONE)
    engine = Engine(open_model=gpu.open)
    low, high = on_gpu(tmp_path, "a", preemptible=True), on_gpu(tmp_path, "b", 5)
    for each in (low, high, low):
        assert reason(engine, each) == ""
    assert gpu.places("a")[-1] == "cpu"
    nobody_asks(monkeypatch)
    assert reason(engine, low) == ""
    assert gpu.places("a")[-1] == "cuda"


def test_f41_equals_share_as_before(tmp_path: Path) -> None:
    gpu = Gpu(ONE)
    engine = Engine(open_model=gpu.open)
    for name in "abab":
        assert reason(engine, on_gpu(tmp_path, name, 3, preemptible=True)) == ""
    assert all(platform == "cuda" for _, platform in gpu.opened)
    assert engine.stats()["preempted"] == 0


def test_f41_a_changed_priority_forgets_nothing_that_was_seen(tmp_path: Path) -> None:
    before, after = spec(tmp_path), {**spec(tmp_path), "schedule": {"priority": 7, "preemptible": True}}
    assert compile_spec(before).digest == compile_spec(after).digest
    assert (compile_spec(before).rank, compile_spec(after).rank) == ((0, False), (7, True))


# --- children on one device --------------------------------------------------------------------------------------


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Gpu:
    """One device for all children; a child is an engine that gives its room back when it ends."""
    device = Gpu(ONE)

    class Child:
        used = 0.0
        born = 0

        def __init__(self, *_: Any) -> None:
            self.engine = Engine(open_model=device.open)
            self.pool = SimpleNamespace(stats=self.engine.stats, close=lambda: None)
            Child.born += 1
            self.process = SimpleNamespace(pid=Child.born, returncode=None)

        def analyse(self, item: dict[str, Any]) -> list[Any]:
            reference, fall_back = FrameRef.from_dict(item["frame"]), item["may_fall_back"]
            return self.engine.analyse(reference, item["executions"], may_fall_back=fall_back)

        def alive(self) -> bool:
            return True

        def end(self, _seconds: float = 0.0) -> None:
            self.engine.unload()

    monkeypatch.setattr("workers.vision.inference.children._Child", Child)
    return device


@pytest.fixture
def picture(tmp_path: Path) -> FrameRef:
    return FrameRef(jpeg(tmp_path / "frame.jpg"), moment(0))


@pytest.mark.parametrize("is_allowed", [True, False])
def test_f41_a_child_gives_way_to_another_group_only_where_that_is_allowed(
    gpu: Gpu, picture: FrameRef, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_allowed: bool
) -> None:
    children = EngineChildren(tmp_path)
    low, high = on_gpu(tmp_path, "a", preemptible=is_allowed), on_gpu(tmp_path, "b", 5)
    for _ in range(4):
        assert (reason(children, low, picture), reason(children, high, picture)) == ("", "")
    stats = children.stats()
    assert (gpu.places("a")[-1], gpu.places("b")[-1]) == (("cpu", "cuda") if is_allowed else ("cuda", "cpu"))
    assert stats["preempted"] == int(is_allowed)
    if is_allowed:
        told = stats["preemptions"][0]
        assert (told["group"], told["by"], told["by_priority"]) == ("a" * 64, "b" * 64, 5)
        nobody_asks(monkeypatch)
        assert reason(children, low, picture) == ""
        assert gpu.places("a")[-1] == "cuda", "the other's child was asked for by nobody and ended"


def test_f41_at_the_limit_of_children_a_lower_one_waits_and_says_so(
    gpu: Gpu, picture: FrameRef, tmp_path: Path
) -> None:
    gpu.free = 1000
    children = EngineChildren(tmp_path, limit=1)
    low, high = on_gpu(tmp_path, "a", preemptible=True), on_gpu(tmp_path, "b", 5)
    assert reason(children, low, picture) == ""
    assert reason(children, high, picture) == ""
    assert children.stats()["preempted"] == 1
    assert {reason(children, low, picture) for _ in range(3)} == {"engine_busy"}
    assert list(children.stats()["children"]) == ["b" * 64]


# --- from tasks to the engine ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_f41_an_execution_has_the_highest_priority_and_is_pre_emptible_where_all_its_tasks_are() -> None:
    home = factories.organisation()
    camera, version = factories.camera(home, address="http://10.0.0.1/a"), builtin_version()
    running_task(home, [camera], [version], is_preemptible=True)
    assert Execution.objects.get().spec["schedule"] == {"priority": 0, "preemptible": True}
    second = running_task(home, [camera], [version])
    assert "schedule" not in Execution.objects.get().spec
    type(second).objects.filter(pk=second.pk).update(priority=4, is_preemptible=True)
    sync_executions()
    assert Execution.objects.get().spec["schedule"] == {"priority": 4, "preemptible": True}
    stop_task(by=arranger(home), task=second)
    sync_executions()
    assert Execution.objects.get().spec["schedule"] == {"priority": 0, "preemptible": True}


@pytest.mark.django_db
def test_f41_only_who_runs_the_service_gives_a_priority() -> None:
    home = factories.organisation()
    camera, version, plan = factories.camera(home), builtin_version(), factories.plan(home)
    wish: dict[str, Any] = {"name": "t", "cameras": [camera], "versions": [version], "plan": plan}
    with pytest.raises(NotAllowed):
        create_task(by=arranger(home), **wish, priority=1)
    assert create_task(by=arranger(home), **wish, is_preemptible=True).is_preemptible
    operator = factories.principal(home, roles=("operator",))
    assert create_task(by=operator, **wish, priority=9).priority == 9
