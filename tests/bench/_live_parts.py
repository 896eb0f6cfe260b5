"""The processes of the live bench: `python -m tests.bench._live_parts camera CLIP` and `… holder PORT ENGINE FOLDER`.

The camera sends FLV over HTTP, whose timestamps are its monotonic clock when each picture left; so the age of a
result is known to the millisecond in another process of the same machine. (MPEG-TS would add one frame interval by
itself: where a picture ends is known only when the next begins.)
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import av
import av.error
import cv2

from tests.bench._models import committed, public
from tests.support.http_camera import CameraHandler, HttpCamera, _Out
from tests.support.policies import LoopbackOnly
from workers.vision.engine_client import EnginePool
from workers.vision.frames import Frame
from workers.vision.holder import Demand, StreamHolder, StreamWish

FPS = 15
APART = 11
"""Packets between the starts of two connections; with a keyframe in 30, eight cameras show theirs evenly spread."""
WRAP = 2**30  # milliseconds; FLV has 32 bits


def send_stamped(send: Callable[[bytes], object], clip: bytes, running: threading.Event, first: int) -> None:
    """The clip for ever at its pace from packet `first` on, each picture stamped with the moment it leaves."""
    with av.open(io.BytesIO(clip)) as source:
        stream = source.streams.video[0]
        packets = [packet for packet in source.demux(stream) if packet.size]
        with av.open(_Out(send), "w", format="flv", options={"flush_packets": "1"}) as output:
            target = output.add_stream_from_template(stream)
            start, number, last = time.monotonic(), 0, -1
            while running.is_set():
                packet = packets[(first + number) % len(packets)]
                copy = av.Packet(bytes(packet))
                last = max(last + 1, int(time.monotonic() * 1000) % WRAP)
                copy.pts = copy.dts = last
                copy.time_base, copy.is_keyframe, copy.stream = target.time_base, packet.is_keyframe, target
                output.mux(copy)
                number += 1
                time.sleep(max(0.0, start + number / FPS - time.monotonic()))


def camera(clip: Path) -> None:
    """Serve until killed; prints the port."""
    data = clip.read_bytes()
    opened = itertools.count()
    with HttpCamera() as server:

        def serve(handler: CameraHandler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Type", "video/x-flv")
            handler.send_header("Connection", "close")
            handler.end_headers()
            # As in a city, no two cameras show their keyframes in step.
            with contextlib.suppress(OSError, av.error.FFmpegError):  # the holder let go
                send_stamped(handler.wfile.write, data, server.running, APART * next(opened))

        server.routes["/live.flv"] = serve
        print(server.port, flush=True)
        threading.Event().wait()


class Holder:
    """The stream holder with the real consumer of live frames; results are counted instead of sent to the writer."""

    def __init__(self, port: int, engine: Path, folder: Path) -> None:
        import django

        django.setup()
        from workers.capture.frames import FrameStore
        from workers.streams import analysis, rows

        cv2.setNumThreads(1)
        analysis.push = lambda batch: True  # type: ignore[assignment]
        self.rows, self.url, self.port = rows, f"http://127.0.0.1:{port}/live.flv", port
        self.model = (public() or [committed()])[0]
        store = FrameStore(folder / "frames", 256)
        store.prepare()
        self.live = analysis.LiveAnalysis(EnginePool(engine, size=2, timeout=20.0), store)
        self.ages: list[tuple[float, float]] = []

    def consume(self, stream_id: str, frame: Frame, demands: tuple[Demand, ...]) -> None:
        self.live.on_frame(stream_id, frame, demands)
        now = time.monotonic()
        self.ages.append((now, (now * 1000 - (frame.pts or 0.0) * 1000) % WRAP))

    def measure(self, streams: int, seconds: float, warm: float) -> dict[str, float]:
        """Hold so many streams, each frame of each wanted; ages of the results in milliseconds."""
        wishes, executions = {}, {}
        for _ in range(streams):
            stream, execution = uuid4(), uuid4()
            wishes[str(stream)] = StreamWish(self.url, (Demand("fps", 1 / FPS, str(execution)),))
            executions[execution] = self._execution(stream, execution)
        self.live.placed = self.rows.Placed(executions, wishes)
        with StreamHolder(LoopbackOnly(self.port), self.consume, threads=2) as holder:
            holder.reconcile(wishes)
            ends = time.monotonic() + 30
            while time.monotonic() < ends and any(not s.counters.delivered for s in holder.status().values()):
                time.sleep(0.1)
            time.sleep(warm)
            before, cpu = _counts(holder), time.process_time()
            begun = time.monotonic()
            time.sleep(seconds)
            after, cpu = _counts(holder), time.process_time() - cpu
        ages = sorted(age for at, age in self.ages if begun <= at <= begun + seconds)
        decoded, dropped = after[0] - before[0], after[1] - before[1]
        cuts = statistics.quantiles(ages, n=100) if len(ages) > 1 else [0.0] * 99
        return {
            "streams": streams,
            "p50_ms": cuts[49],
            "p99_ms": cuts[98],
            "offered_fps": streams * FPS,
            "decoded_fps": decoded / seconds,
            "results_fps": len(ages) / seconds,
            "dropped_share": dropped / max(decoded, 1),
            "holder_cores": cpu / seconds,
            "failures": self.live.failures,
        }

    def _execution(self, camera_id: UUID, execution: UUID) -> Any:
        return self.rows.HeldExecution(
            execution, camera_id, 0, "fps", 1 / FPS, 1, self.model.spec(str(execution)), ()
        )


def _counts(holder: StreamHolder) -> tuple[int, int]:
    found = [status.counters for status in holder.status().values()]
    return sum(each.decoded for each in found), sum(each.dropped for each in found)


def hold(port: int, engine: Path, folder: Path) -> None:
    """One line of JSON in ([streams, seconds, warm]), one out, until the input ends."""
    holder = Holder(port, engine, folder)
    for line in sys.stdin:
        streams, seconds, warm = json.loads(line)
        print(json.dumps(holder.measure(streams, seconds, warm)), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "camera":
        camera(Path(sys.argv[2]))
    else:
        hold(int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))
