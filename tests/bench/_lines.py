"""Cameras that send, for the capture bench: CPU of one reader of a live stream, each in a process of its own.

`python -m tests.bench._lines URL PORT MODE SECONDS`; MODE is full, keyframes, jpeg or due10s.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import cv2

from tests.bench._clips import FPS, clip
from tests.support.http_camera import HttpCamera
from tests.support.policies import LoopbackOnly
from tests.support.rtsp_server import RtspServer, available
from workers.vision.frames import Frame
from workers.vision.holder import Demand, StreamHolder, StreamWish
from workers.vision.keyframes import write_jpeg
from workers.vision.sources import open_source

MODES = ("full", "keyframes", "jpeg", "due10s")
WARM = 2.0
"""Seconds of the stream before anything counts: opening and the first keyframe."""


def cameras(stack: ExitStack, cache: Path, codecs: tuple[str, ...]) -> Iterator[tuple[str, str, int]]:
    """(name, address, port) of a camera for each way of sending that this machine has; they end with the stack."""
    camera = stack.enter_context(HttpCamera())
    for codec in codecs:
        path = clip(cache, codec, 50)
        camera.add_live(f"/{codec}.ts", path.read_bytes())
        yield f"mpegts_{codec}", camera.url(f"/{codec}.ts"), camera.port
        if not available():
            server = stack.enter_context(RtspServer(path, codec=codec))
            yield f"rtsp_{codec}", server.url, server.port


def measure(cache: Path, seconds: float, codecs: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Camera → mode → CPU seconds for a second of video; all readers at once, since they wait most of the time."""
    found: dict[str, dict[str, float]] = {}
    with ExitStack() as stack:
        readers = []
        for name, url, port in cameras(stack, cache, codecs):
            for mode in MODES:
                command = [sys.executable, "-m", "tests.bench._lines", url, str(port), mode, str(seconds)]
                reader = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
                readers.append((name, mode, reader))
        for name, mode, reader in readers:
            output, _ = reader.communicate(timeout=seconds + 90)
            if reader.returncode == 0:
                found.setdefault(name, {})[mode] = json.loads(output)["cpu"]
    return found


def full(url: str, port: int, seconds: float) -> float:
    """CPU seconds of this process for a second of the live stream with every packet decoded."""
    begun = started = float("-inf")
    spent = 0.0
    with open_source(url, policy=LoopbackOnly(port)) as source:
        for packet in source:
            moment = packet.time.timestamp()
            if started == float("-inf"):
                started = moment
            if begun == float("-inf") and moment - started > WARM and packet.is_keyframe:
                begun, spent = moment, time.process_time()
            if begun != float("-inf") and moment - begun >= seconds:
                return (time.process_time() - spent) / (moment - begun)
            source.decode(packet, want=False)
    raise RuntimeError("the stream ended early")


def hold(url: str, port: int, mode: str, seconds: float) -> float:
    """The same of the stream holder with one demand: each keyframe, each as JPEG, or one in ten seconds."""
    with tempfile.TemporaryDirectory() as folder:

        def consume(stream_id: str, frame: Frame, demands: tuple[Demand, ...]) -> None:
            if mode == "jpeg":
                write_jpeg(frame, Path(folder) / "frame.jpg")

        demand = Demand("keyframes", 10.0 if mode == "due10s" else 1.0)
        with StreamHolder(LoopbackOnly(port), consume) as holder:
            holder.reconcile({"camera": StreamWish(url, (demand,))})
            ends = time.monotonic() + 30
            while holder.status()["camera"].counters.keyframes < 2 and time.monotonic() < ends:
                time.sleep(0.1)
            spent, before = time.process_time(), holder.status()["camera"].counters.packets
            time.sleep(seconds)
            packets = holder.status()["camera"].counters.packets - before
            return (time.process_time() - spent) / (packets / FPS)


if __name__ == "__main__":
    cv2.setNumThreads(1)
    address, at, kind, length = sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
    cpu = full(address, at, length) if kind == "full" else hold(address, at, kind, length)
    print(json.dumps({"cpu": cpu}))
