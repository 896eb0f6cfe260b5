"""`python -m tests.bench._held CLIP STREAMS SECONDS`: cores and memory of held streams, in a process of its own."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import cv2

from tests.bench._clips import FPS, options_for
from tests.support.usage import resident
from workers.vision.holder import Demand, StreamHolder, StreamWish
from workers.vision.keyframes import write_jpeg
from workers.vision.sources import RefuseAll, open_source


def held(path: Path, streams: int, seconds: float, folder: Path) -> dict[str, float]:
    """Hold `streams` looped clips in real time, JPEG of each keyframe; CPU and memory.

    cores: CPU for each second of video that went through, times the streams; so a machine too busy to keep
    pace (pace < 1) does not look cheap.
    """
    frames = [0]

    def consume(stream_id: str, frame: Any, demands: Any) -> None:
        write_jpeg(frame, folder / f"{stream_id}.jpg")
        frames[0] += 1

    options = options_for(path, realtime=True, loop=True)
    wish = StreamWish(str(path), (Demand("keyframes", 1.0),), options=options)
    with StreamHolder(RefuseAll(), consume) as holder:
        few = max(2, streams // 10)
        holder.reconcile({f"s{number}": wish for number in range(few)})
        time.sleep(min(3.0, seconds))
        before = resident()
        holder.reconcile({f"s{number}": wish for number in range(streams)})
        ends = time.monotonic() + 60
        while time.monotonic() < ends and any(
            status.counters.keyframes < 2 for status in holder.status().values()
        ):
            time.sleep(0.5)  # opening a hundred files at once is not what is measured

        def packets() -> int:
            return sum(status.counters.packets for status in holder.status().values())

        after = resident()
        spent, done, taken, wall = time.process_time(), packets(), frames[0], time.monotonic()
        time.sleep(seconds)
        spent, wall = time.process_time() - spent, time.monotonic() - wall
        done, taken = packets() - done, frames[0] - taken
    return {
        "cores": spent / (done / FPS) * streams,
        "pace": done / FPS / streams / wall,
        "mb_per_stream": (after - before) / (streams - few) / 1e6,
        "frames_per_s": taken / wall,
    }


def decoded(path: Path, streams: int, seconds: float) -> float:
    """Cores for `streams` clips in real time with every packet decoded."""
    stop, done = threading.Event(), [0]

    def follow() -> None:
        with open_source(str(path), options=options_for(path, realtime=True, loop=True)) as source:
            for packet in source:
                source.decode(packet, want=False)
                done[0] += 1
                if stop.is_set():
                    return

    threads = [threading.Thread(target=follow, daemon=True) for _ in range(streams)]
    for thread in threads:
        thread.start()
    time.sleep(min(2.0, seconds))
    spent, before = time.process_time(), done[0]
    time.sleep(seconds)
    cores = (time.process_time() - spent) / ((done[0] - before) / FPS) * streams
    stop.set()
    for thread in threads:
        thread.join(5)
    return cores


def main(arguments: list[str]) -> int:
    path, streams, seconds = Path(arguments[0]), int(arguments[1]), float(arguments[2])
    cv2.setNumThreads(1)  # as in the stream holder's process
    early = decoded(path, 10, seconds / 2)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        sides = held(path, streams, seconds, Path(folder))
    late = decoded(path, 10, seconds / 2)
    print(json.dumps({**sides, "streams": streams, "ten_decoded_cores": (early + late) / 2}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
