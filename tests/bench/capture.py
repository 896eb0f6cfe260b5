"""What capturing costs, as ratios inside one run: keyframes against full decoding, many held streams.

`run(quick)` gives rows {"name", "value", "goal", "ok", "sides"}; also `python -m tests.bench.capture [--quick]`.
CPU seconds are of the process, so a busy machine slows the run but hardly moves the ratios.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.clips import make_clip, test_picture
from workers.vision.holder import Demand, StreamHolder, StreamWish
from workers.vision.keyframes import write_jpeg
from workers.vision.sources import RefuseAll, SourceOptions, VideoPacket, VideoSource, open_source

FPS, GOP, BITRATE = 25, 50, "4M"
CLIP_SECONDS = 10
GOALS = {
    "keyframe_over_full": 0.07,
    "keyframe_over_full_h265": 0.07,
    "keyframe_jpeg_over_full": 0.10,
    "due10s_over_full": 0.03,
    "hundred_held_over_ten_decoded": 0.8,
    "mb_per_stream": 12.0,
}
Row = dict[str, Any]


def row(name: str, value: float, **sides: float | int) -> Row:
    """One result; ok where the value is not above its goal."""
    return {
        "name": name,
        "value": round(value, 4),
        "goal": GOALS[name],
        "ok": value <= GOALS[name],
        "sides": {key: round(side, 4) if isinstance(side, float) else side for key, side in sides.items()},
    }


def default_cache() -> Path:
    """Where the clips are kept between runs."""
    return Path(tempfile.gettempdir()) / f"vantage-bench-{os.getuid()}"


def clip(cache: Path, codec: str) -> Path:
    """Ten seconds of FFmpeg's moving test picture, 1080p25 at 4 Mbit/s, GOP 50; made once."""
    path = cache / f"{codec}-testsrc2-1080p{FPS}-{GOP}-{CLIP_SECONDS}s.ts"
    if path.exists():
        return path
    cache.mkdir(parents=True, exist_ok=True)
    made = path.with_suffix(f".{os.getpid()}")
    made.write_bytes(
        make_clip(
            frames=CLIP_SECONDS * FPS,
            gop=GOP,
            width=1920,
            height=1080,
            fps=FPS,
            codec=codec,
            paint=test_picture(1920, 1080, FPS),
            options={"b": BITRATE, "maxrate": BITRATE, "bufsize": "8M", "preset": "veryfast"},
        )
    )
    made.replace(path)
    return path


def options_for(path: Path, **changes: Any) -> SourceOptions:
    return SourceOptions(file_roots=(path.parent,), **changes)


Work = Callable[[VideoSource, Iterator[VideoPacket]], int]


def cpu(path: Path, seconds: int, repeats: int, work: Work) -> tuple[float, int]:
    """Median CPU seconds for so many seconds of the looped clip, opening left out; and what work counted."""
    spent, counted = [], 0
    for _ in range(repeats):
        with open_source(str(path), options=options_for(path, loop=True)) as source:
            start = time.process_time()
            counted = work(source, itertools.islice(source, seconds * FPS))
            spent.append(time.process_time() - start)
    return statistics.median(spent), counted


def full_decode(source: VideoSource, packets: Iterator[VideoPacket]) -> int:
    """Decode every packet; no conversion, as the cheapest consumer would."""
    count = 0
    for packet in packets:
        source.decode(packet, want=False)
        count += 1
    return count


def keyframes(
    source: VideoSource, packets: Iterator[VideoPacket], *, every: float = 0.0, jpeg: Path | None = None
) -> int:
    """Decode keyframes to BGR, at most one each `every` seconds of the clip; write them as JPEG if asked."""
    count, following = 0, float("-inf")
    for packet in packets:
        moment = packet.time.timestamp()
        if not packet.is_keyframe or moment < following:
            continue
        following = moment + every - 0.1
        frame = source.decode_keyframe(packet)
        if frame is not None:
            count += 1
            if jpeg is not None:
                write_jpeg(frame, jpeg)
    return count


def decode_rows(cache: Path, seconds: int, repeats: int) -> list[Row]:
    """The ratios of decoding alone."""
    rows: list[Row] = []
    path = clip(cache, "libx264")
    full, packets = cpu(path, seconds, repeats, full_decode)
    keys, decoded = cpu(path, seconds, repeats, keyframes)
    rows.append(
        row("keyframe_over_full", keys / full, full_s=full, keyframes_s=keys, packets=packets, keys=decoded)
    )
    with tempfile.TemporaryDirectory() as folder:
        jpegs, _ = cpu(path, seconds, repeats, partial(keyframes, jpeg=Path(folder) / "frame.jpg"))
    rows.append(row("keyframe_jpeg_over_full", jpegs / full, full_s=full, keyframes_jpeg_s=jpegs))
    due, taken = cpu(path, seconds, repeats, partial(keyframes, every=10.0))
    rows.append(row("due10s_over_full", due / full, full_s=full, due_s=due, taken=taken))
    later = clip(cache, "libx265")
    full265, _ = cpu(later, seconds, repeats, full_decode)
    keys265, _ = cpu(later, seconds, repeats, keyframes)
    rows.append(row("keyframe_over_full_h265", keys265 / full265, full_s=full265, keyframes_s=keys265))
    return rows


def held(path: Path, streams: int, seconds: float) -> dict[str, float]:
    """In this process: hold `streams` looped clips in real time, JPEG of each keyframe; CPU and memory.

    cores: CPU for each second of video that went through, times the streams; so a machine too busy to keep
    pace (pace < 1) does not look cheap.
    """
    folder = Path(tempfile.mkdtemp())
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

        after, spent = resident(), time.process_time()
        done, taken, wall = packets(), frames[0], time.monotonic()
        time.sleep(seconds)
        spent, wall = time.process_time() - spent, time.monotonic() - wall
        done, taken = packets() - done, frames[0] - taken
    return {
        "cores": spent / (done / FPS) * streams,
        "pace": done / FPS / streams / wall,
        "mb_per_stream": (after - before) / (streams - few) / 1e6,
        "frames_per_s": taken / wall,
        "streams": float(streams),
    }


def decoded(path: Path, streams: int, seconds: float) -> float:
    """In this process: cores for `streams` clips in real time with every packet decoded."""
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
    time.sleep(min(3.0, seconds))
    spent, before = time.process_time(), done[0]
    time.sleep(seconds)
    cores = (time.process_time() - spent) / ((done[0] - before) / FPS) * streams
    stop.set()
    for thread in threads:
        thread.join(5)
    return cores


def resident() -> int:
    """Bytes of memory this process really uses."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def held_rows(path: Path, *, quick: bool) -> list[Row]:
    """Hold and decode in one fresh process, so that its memory is its own and both sides meet the same load."""
    streams, seconds = (40, 4) if quick else (100, 12)
    command = [sys.executable, "-m", "tests.bench.capture", "--held", str(path), str(streams), str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    sides = json.loads(done.stdout)
    hundred = sides["cores"] * 100 / streams
    ten = sides.pop("ten_decoded_cores")
    return [
        row(
            "hundred_held_over_ten_decoded",
            hundred / ten,
            hundred_held_cores=hundred,
            ten_decoded_cores=ten,
            **sides,
        ),
        row("mb_per_stream", sides["mb_per_stream"], streams=sides["streams"]),
    ]


def run(quick: bool = False, cache: Path | None = None) -> list[Row]:
    """Measure; quick takes well under a minute once the clips are made."""
    cache = cache or default_cache()
    seconds, repeats = (20, 1) if quick else (40, 3)
    return decode_rows(cache, seconds, repeats) + held_rows(clip(cache, "libx264"), quick=quick)


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--held"]:
        path, streams, seconds = Path(arguments[1]), int(arguments[2]), float(arguments[3])
        sides = held(path, streams, seconds)
        print(json.dumps({**sides, "ten_decoded_cores": decoded(path, 10, seconds)}))
        return 0
    rows = run("--quick" in arguments)
    print(json.dumps({"bench": "capture", "rows": rows}, indent=1))
    return 0 if all(line["ok"] for line in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
