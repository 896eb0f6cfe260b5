"""Where a picture's analysis is sent: its own node, a node with a GPU, or whoever is free."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from apps.algorithms.models import AlgorithmPackage
from apps.analysis.models import CaptureSlot
from apps.core import clock
from apps.core.ids import uuid7
from apps.dispatch.services import heartbeat
from tests.support import factories
from tests.support.analysis import builtin_version, executions_of, running_task
from workers import capture, inference
from workers.capture import shared
from workers.capture.frames import FrameStore
from workers.process import queues
from workers.vision.frames import Frame

pytestmark = pytest.mark.django_db


def slot(*, node: str = "node-1", age: float = 0.0, platform: str = "cpu") -> CaptureSlot:
    """A captured picture of a camera of its own."""
    home = factories.organisation()
    camera = factories.camera(home, address="http://10.0.0.1/a")
    execution = executions_of(running_task(home, [camera], [builtin_version()], interval=60))[0]
    AlgorithmPackage.objects.filter(pk=execution.package_id).update(platform=platform)
    at = clock.now() - timedelta(seconds=age)
    path = FrameStore().write(Frame(np.full((90, 160, 3), 90, np.uint8), at), name := uuid7())
    return CaptureSlot.objects.create(
        id=name,
        camera=camera,
        planned_at=at,
        deadline=at + timedelta(seconds=60),
        executions=[execution.pk],
        state="captured",
        captured_at=at,
        node=node,
        frame=str(path),
        open=1,
    )


def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """What goes out: (queue, slot ids)."""
    found: list[tuple[str, list[str]]] = []

    def note(args: Any, queue: Any = "", **_options: Any) -> None:
        found.append((getattr(queue, "name", queue), args[0]))

    monkeypatch.setattr(capture.infer_slots, "apply_async", note)
    return found


def test_a_picture_is_analysed_on_its_own_node(monkeypatch: pytest.MonkeyPatch) -> None:
    messages, one = sent(monkeypatch), slot()
    capture._hand_on([one])
    assert messages == [("inference.cpu.node-1", [str(one.pk)])]


@pytest.mark.parametrize(("has_gpu", "queue"), [(True, "inference.gpu.node-1"), (False, "inference.gpu")])
def test_a_package_for_a_gpu_sends_its_pictures_there(
    monkeypatch: pytest.MonkeyPatch, has_gpu: bool, queue: str
) -> None:
    monkeypatch.setattr(queues, "has_gpu", lambda: has_gpu)
    messages, plain, heavy = sent(monkeypatch), slot(), slot(platform="cuda")
    capture._hand_on([plain, heavy])
    assert dict(messages) == {"inference.cpu.node-1": [str(plain.pk)], queue: [str(heavy.pk)]}
    assert (shared.get(heavy.pk) is not None) is not has_gpu
    assert shared.get(plain.pk) is None


def test_a_lent_picture_is_fetched_by_the_other_node(settings: Any, tmp_path: Any) -> None:
    one = slot(platform="cuda")
    assert shared.share([one]) == 1
    settings.VANTAGE_NODE, settings.VANTAGE_FRAMES = "node-2", tmp_path / "other"
    there = CaptureSlot.objects.get()
    assert not inference.is_here(there)
    assert inference.fetch(there)
    assert there.frame.startswith(str(tmp_path / "other"))
    stranger = slot()
    stranger.node = "node-3"
    assert not inference.fetch(stranger), "not lent: it is taken again"


def test_the_store_of_lent_pictures_is_bounded(settings: Any) -> None:
    shared.client().delete(shared.INDEX)
    settings.VANTAGE_SHARED_FRAMES_MB = 1
    taken = [shared.put(uuid7(), bytes(300_000)) for _ in range(5)]
    assert taken == [True, True, True, False, False]
    shared.client().delete(shared.INDEX)


@pytest.mark.parametrize(
    ("node", "age", "queue"),
    [("node-1", 5, "inference.cpu.node-1"), ("node-1", 90, "inference.cpu"), ("gone", 5, "inference.cpu")],
)
def test_the_sweep_leaves_a_picture_to_its_node_while_that_lives(node: str, age: float, queue: str) -> None:
    heartbeat(name="node-1", facts={}, load={}, started_at=clock.now())
    one = slot(node=node, age=age)
    ((found, ids),) = queues.routes([one.pk], clock.now())
    assert (getattr(found, "name", found), ids) == (queue, [one.pk])


def test_a_slot_with_a_result_is_never_sent_back_to_be_captured() -> None:
    from apps.analysis.services import send_back

    one = slot()
    one.results = {str(UUID(int=1)): {"outcome": "clear"}}
    assert not send_back(one)
    one.results = {}
    assert send_back(one)
    one.refresh_from_db()
    assert (one.state, one.captured_at) == ("leased", None)
