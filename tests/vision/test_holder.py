"""The parts of the holder by themselves, and a held stream from end to end."""

from __future__ import annotations

import io
import itertools
import threading
from pathlib import Path

import av
import pytest

from tests.support.clips import make_clip, write_clip
from tests.support.http_camera import HttpCamera
from tests.support.policies import LoopbackOnly
from tests.support.waiting import wait_until
from workers.vision.buffers import LatestSlot
from workers.vision.frames import Frame
from workers.vision.holder import (
    MOVES,
    Backoff,
    Demand,
    IllegalMove,
    StateChange,
    StreamHolder,
    StreamState,
    StreamWish,
)
from workers.vision.holder.due import DueGate
from workers.vision.holder.states import StateMachine
from workers.vision.live import LiveRemuxer
from workers.vision.sources import RefuseAll, SourceOptions, open_source


def test_backoff_is_full_jitter_between_its_bounds() -> None:
    highest, lowest = Backoff(chance=lambda: 1.0), Backoff(chance=lambda: 0.0)
    assert [highest.next() for _ in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert [lowest.next() for _ in range(3)] == [0.25, 0.25, 0.25]
    highest.reset()
    assert highest.next() == 1


def test_every_move_is_listed_and_no_other_passes() -> None:
    assert set(MOVES) == set(StreamState)
    for before, after in itertools.product(StreamState, StreamState):
        machine = StateMachine()
        machine.state, machine.cause = before, "x"
        if before is after and after is not StreamState.DEGRADED:
            assert machine.move(after, "y") is None
        elif after in MOVES[before]:
            assert machine.move(after, "y") is not None
        else:
            with pytest.raises(IllegalMove):
                machine.move(after, "y")


def test_due_gate_keeps_the_phase_and_takes_a_frame_slightly_early() -> None:
    gate, demand = DueGate(), Demand("keyframes", 10.0)
    gate.update([demand])
    served = []
    for moment in (0.0, 2.0, 4.0, 6.0, 8.0, 9.9, 12.0, 19.9, 22.0, 50.0, 52.0, 60.0):
        due = gate.due(moment, keyframe=True)
        gate.serve(due, moment)
        served += [moment] if due else []
    assert served == [0.0, 9.9, 19.9, 50.0, 60.0]
    assert gate.due(100.0, keyframe=False) == ()


def test_demands_that_stay_keep_their_due_time() -> None:
    gate, old, new = DueGate(), Demand("fps", 1.0, "old"), Demand("fps", 1.0, "new")
    gate.update([old])
    gate.serve((old,), 5.0)
    gate.update([old, new])
    assert gate.due(5.5, keyframe=False) == (new,)


def test_the_latest_wins_and_drops_are_counted() -> None:
    slot: LatestSlot[int] = LatestSlot(2)
    assert [slot.put(number) for number in range(5)] == [None, None, 0, 1, 2]
    assert (slot.dropped, slot.deepest, slot.take(0), slot.take(0), slot.take(0)) == (3, 2, 3, 4, None)
    slot.close()
    assert slot.take() is None


def test_a_held_stream_gives_due_frames_and_serves_viewers_over_one_connection() -> None:
    frames: list[tuple[str, Frame, tuple[Demand, ...]]] = []
    states: list[tuple[str, StateChange]] = []
    with HttpCamera() as camera:
        camera.add_live("/live", make_clip(frames=50, gop=10))
        with StreamHolder(
            LoopbackOnly(camera.port),
            lambda *frame: frames.append(frame),
            lambda *state: states.append(state),
        ) as holder:
            keyframes, each = Demand("keyframes", 0.4), Demand("fps", 0.2)
            wish = StreamWish(camera.url("/live"), (keyframes,), live=True)
            holder.reconcile({"a": wish})
            assert wait_until(lambda: len(frames) >= 3)
            assert all(frame.keyframe and due == (keyframes,) for _, frame, due in frames)
            assert holder.status()["a"].counters.decoded < holder.status()["a"].counters.packets / 5

            viewer = holder.view("a")
            assert viewer is not None
            data = b""
            while data.count(b"G") < 1 or len(data) < 40_000:
                chunk = viewer.read(10)
                assert chunk is not None
                data += chunk.data
            viewer.close()
            with av.open(io.BytesIO(data), format="mpegts") as played:
                pictures = list(played.decode(video=0))
            assert pictures[0].key_frame

            frames.clear()
            holder.reconcile({"a": StreamWish(wish.url, (keyframes, each), live=True)})
            assert wait_until(lambda: any(not frame.keyframe for _, frame, _ in frames))
            status = holder.status()["a"]
            assert (status.state, status.counters.gop) == (StreamState.ONLINE, 10)
            holder.reconcile({})
            assert wait_until(lambda: states[-1][1].after is StreamState.DISABLED)
        assert len(camera.requests) == 1
    moves = [(change.before, change.after) for _, change in states]
    assert moves == [
        (StreamState.DISABLED, StreamState.CONNECTING),
        (StreamState.CONNECTING, StreamState.ONLINE),
        (StreamState.ONLINE, StreamState.DISABLED),
    ]


def test_a_new_address_reconnects_at_once_and_disabling_disconnects() -> None:
    frames: list[str] = []
    with HttpCamera() as camera:
        camera.add_live("/one", make_clip(frames=20))
        camera.add_live("/two", make_clip(frames=20, width=160, height=96))
        seen = threading.Event()

        def consume(_: str, frame: Frame, __: tuple[Demand, ...]) -> None:
            frames.append(f"{frame.width}")
            seen.set()

        with StreamHolder(LoopbackOnly(camera.port), consume) as holder:
            demand = (Demand("keyframes", 0.1),)
            holder.reconcile({"a": StreamWish(camera.url("/one"), demand)})
            assert seen.wait(20)
            holder.reconcile({"a": StreamWish(camera.url("/two"), demand)})
            assert wait_until(lambda: "160" in frames)
            holder.reconcile({"a": StreamWish(camera.url("/two"), demand, enabled=False)})
            assert wait_until(lambda: holder.status()["a"].state is StreamState.DISABLED)
            assert wait_until(lambda: not camera.sockets)


def test_a_refused_address_is_offline_with_its_cause() -> None:
    with StreamHolder(RefuseAll(), lambda *_: None) as holder:
        holder.reconcile({"a": StreamWish("rtsp://user:secret@10.0.0.1/x")})
        assert wait_until(lambda: holder.status()["a"].state is StreamState.OFFLINE)
        status = holder.status()["a"]
        assert status.cause == "refused"
        assert "secret" not in repr(status)


@pytest.mark.parametrize("container", ["mpegts", "mp4"])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_remuxed_pictures_are_the_same(tmp_path: Path, container: str, codec: str) -> None:
    write_clip(tmp_path / "a.mp4", frames=20, gop=5, container="mp4", codec=codec)
    remuxer = LiveRemuxer(container)  # type: ignore[arg-type]
    with open_source(str(tmp_path / "a.mp4"), options=SourceOptions(file_roots=(tmp_path,))) as source:
        remuxer.begin(source)
        viewer = remuxer.attach()
        for packet in source:
            remuxer.feed(packet)
        chunks = []
        while (chunk := viewer.read(0)) is not None:
            chunks.append(chunk)
        remuxer.end()
    assert chunks[0].init == (container == "mp4")
    with av.open(io.BytesIO(b"".join(chunk.data for chunk in chunks)), format=container) as played:
        assert len(list(played.decode(video=0))) >= 19


def test_a_slow_viewer_goes_on_at_a_keyframe_and_others_lose_nothing(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.ts", frames=52, gop=10)
    remuxer = LiveRemuxer(max_chunks=15)
    with open_source(str(tmp_path / "a.ts"), options=SourceOptions(file_roots=(tmp_path,))) as source:
        remuxer.begin(source)
        slow, quick = remuxer.attach(), remuxer.attach()
        taken = []
        for packet in source:
            remuxer.feed(packet)
            taken.append(quick.read(0))
        late = []
        while (chunk := slow.read(0)) is not None:
            late.append(chunk)
        remuxer.close()
    assert all(taken)
    assert quick.dropped == 0
    assert slow.dropped > 0
    assert len(late) <= 15
    assert late[0].keyframe
    assert slow.closed
