"""The stream holder: placed rows become frames, results and states; viewers get bytes."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from apps.analysis.models import Execution, ExecutionHour
from apps.core import clock
from apps.devices.models import Camera
from apps.dispatch.models import ComputeNode
from apps.dispatch.services import heartbeat, place
from apps.events.models import RawEvent
from tests.support import factories
from tests.support.analysis import ITEM, builtin_version, running_task
from tests.support.engine import hit, scripted_engine
from tests.support.http_camera import HttpCamera
from workers.streams import Streams
from workers.vision.holder.asking import ask_picture
from workers.writer import Writer

pytestmark = pytest.mark.django_db


def until(step: Callable[[], Any], done: Callable[[], bool], seconds: float = 20.0) -> None:
    ends = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < ends, "it did not happen in time"
        step()
        time.sleep(0.1)


@pytest.fixture
def streams(http_camera: HttpCamera) -> Any:
    made = Streams()
    yield made
    made.viewers.stop()
    made.holder.close()


def test_a_placed_execution_is_held_analysed_and_reported(
    streams: Streams, http_camera: HttpCamera, settings: Any
) -> None:
    home = factories.organisation()
    camera = factories.camera(home, address=http_camera.url("/live.ts"))
    running_task(home, [camera], [builtin_version()], sampling="keyframes", interval=0.3)
    streams.step()
    assert ComputeNode.objects.get().name == settings.VANTAGE_NODE
    assert place(clock.now()) == 1
    with scripted_engine(settings.VANTAGE_ENGINE_SOCKET, lambda _frame, spec: hit(spec["execution"], ITEM)):
        until(streams.step, lambda: streams.live.frames >= 3 and Execution.objects.get().state == "running")
        until(lambda: Writer().step(idle=0.2), lambda: RawEvent.objects.count() >= 2)
    camera.refresh_from_db()
    assert camera.state == "online"
    assert ExecutionHour.objects.get().hits >= 2
    raw = RawEvent.objects.first()
    assert (raw.slot_id, raw.camera_id) == (None, camera.pk)
    assert raw.capture_id is not None
    streams._next_beat = 0
    streams.step()
    assert ComputeNode.objects.get().load["streams"]["held"] == 1
    assert len(http_camera.requests) == 1


def test_a_lost_camera_is_offline_and_its_executions_say_so(
    streams: Streams, http_camera: HttpCamera
) -> None:
    home = factories.organisation()
    camera = factories.camera(home, address=http_camera.url("/nothing.ts"))
    running_task(home, [camera], [builtin_version()], sampling="fps", interval=0.5)
    streams.step()
    place(clock.now())
    until(streams.step, lambda: Camera.objects.get().state == "offline")
    until(streams.step, lambda: Execution.objects.get().state == "retrying")
    assert Execution.objects.get().state_reason == "not_found"
    streams.reports._outage_at = 0.0
    streams.step()
    until(lambda: Writer().step(idle=0.2), lambda: ExecutionHour.objects.exists())
    assert ExecutionHour.objects.get().reasons.keys() == {"not_found"}


def test_a_successor_that_ends_before_its_turn_leaves_the_predecessor_its_viewers(
    streams: Streams, settings: Any
) -> None:
    streams.viewers.start()
    life = SimpleNamespace(active=threading.Event(), ended=threading.Event(), ready=list, gone=list)
    life.ended.set()
    young = Streams()
    young.live_as(life)  # type: ignore[arg-type]
    assert not young.live.is_active
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(settings.VANTAGE_LIVE_SOCKET)


def test_f42_a_stopped_holder_gives_its_leases_back_at_once(
    streams: Streams, http_camera: HttpCamera
) -> None:
    camera = factories.camera(factories.organisation(), address=http_camera.url("/live.ts"))
    running_task(
        camera.managing_organisation, [camera], [builtin_version()], sampling="keyframes", interval=0.3
    )
    streams.step()
    assert place(clock.now()) == 1
    life = SimpleNamespace(active=threading.Event(), ended=threading.Event(), gone=list, is_last=False)
    life.active.set()
    threading.Timer(1.0, life.ended.set).start()
    streams.live_as(life)  # type: ignore[arg-type]
    assert Execution.objects.get().lease_until > clock.now(), (
        "it is replaced: its successor goes on with them"
    )
    young = Streams()
    young.step()
    life.is_last = True
    young.live_as(life)  # type: ignore[arg-type]
    assert Execution.objects.get().lease_until <= clock.now()
    assert place(clock.now()) == 0
    assert Execution.objects.get().state_reason == "node_offline", "not given to the one that ended"
    heartbeat(name="other", facts={}, load={}, started_at=clock.now(), units=[("cpu", 0, "cpu", 100)])
    assert place(clock.now()) == 1
    assert Execution.objects.get().node == "other"


def watch(path: str, camera: str, url: str) -> tuple[socket.socket, dict[str, Any], bytes]:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(20)
    connection.connect(path)
    connection.sendall(
        json.dumps({"camera": camera, "stream_url": url, "transport": "auto"}).encode() + b"\n"
    )
    data = b""
    while b"\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    line, _newline, rest = data.partition(b"\n")
    return connection, json.loads(line), rest


def test_a_viewer_of_a_camera_that_is_not_held_gets_its_bytes(
    streams: Streams, http_camera: HttpCamera, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.streams.viewers.LINGER", 0.5)
    camera = factories.camera(factories.organisation())
    streams.viewers.start()
    ended = threading.Event()
    holding = threading.Thread(target=lambda: _hold(streams, ended), daemon=True)
    holding.start()
    try:
        connection, head, rest = watch(
            settings.VANTAGE_LIVE_SOCKET, str(camera.pk), http_camera.url("/live.ts")
        )
        assert head == {"type": "mpegts", "codec": ""}
        while len(rest) < 188 * 4:
            piece = connection.recv(65536)
            assert piece, "the holder closed the connection"
            rest += piece
        assert rest[0] == rest[188] == 0x47  # MPEG-TS packets
        assert streams.viewers.number == 1
        connection.close()
        until(lambda: None, lambda: streams.viewers.number == 0 and not streams.viewers.wishes())
        until(lambda: None, lambda: not streams.holder.status())
    finally:
        ended.set()
        holding.join(5)


def test_a_holder_for_viewers_only_is_no_node_and_takes_no_executions(
    streams: Streams, http_camera: HttpCamera, settings: Any
) -> None:
    home = factories.organisation()
    camera = factories.camera(home, address=http_camera.url("/live.ts"))
    running_task(home, [camera], [builtin_version()], sampling="keyframes", interval=0.3)
    heartbeat(
        name=settings.VANTAGE_NODE, facts={}, load={}, started_at=clock.now(), units=[("cpu", 0, "cpu", 100)]
    )
    seen = ComputeNode.objects.get().heartbeat_at
    place(clock.now())
    fence, lease = Execution.objects.values_list("fence", "lease_until").get()
    assert lease is not None

    only = Streams(only_viewers=True)
    only.viewers.start()
    url, frames = http_camera.url("/live.ts"), []
    asked = threading.Thread(
        target=lambda: frames.append(ask_picture(only.viewers.path, str(camera.pk), stream_url=url))
    )
    try:
        only.step()
        assert not only.holder.status(), "what is placed here belongs to another process"
        asked.start()
        until(only.step, lambda: bool(frames))
    finally:
        only.viewers.stop()
        only.holder.close()
    assert frames[0] is not None
    assert Execution.objects.values_list("fence", "lease_until").get() == (fence, lease)
    assert ComputeNode.objects.get().heartbeat_at == seen
    assert Camera.objects.get().state == camera.state, "its node says how the camera is"


def test_a_viewer_of_a_camera_that_does_not_answer_hears_why(
    streams: Streams, http_camera: HttpCamera, settings: Any
) -> None:
    camera = factories.camera(factories.organisation())
    streams.viewers.start()
    ended = threading.Event()
    holding = threading.Thread(target=lambda: _hold(streams, ended), daemon=True)
    holding.start()
    try:
        connection, head, _rest = watch(
            settings.VANTAGE_LIVE_SOCKET, str(camera.pk), http_camera.url("/nothing.ts")
        )
        connection.close()
        assert head["error"] == "not_found"
        other, head, _rest = watch(settings.VANTAGE_LIVE_SOCKET, "not-a-camera", "rtsp://x")
        other.close()
        assert head["error"] == "bad_request"
    finally:
        ended.set()
        holding.join(5)


def _hold(streams: Streams, ended: Any) -> None:
    """Only what needs no database: wishes of viewers."""
    while not ended.is_set():
        streams.holder.reconcile(streams.viewers.wishes())
        time.sleep(0.05)
