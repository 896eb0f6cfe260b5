"""What capturing costs, as ratios inside one run: keyframes against full decoding, many held streams.

`run(quick)` gives rows {"name", "value", "goal", "ok", "sides"}; also `python -m tests.bench.capture [--quick]`.
CPU seconds are of the process, so a busy machine slows the run but hardly moves the ratios.

Rows without an ending: H.264, GOP 50, from a file. Endings name what differs: codec and GOP, how it is sent
(mpegts = over HTTP, rtsp = through the relay; both held by the stream holder), or a real clip. A goal for keyframes
is one for GOP 50 or more: a shorter GOP has more of them.
"""

from __future__ import annotations

import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2

from tests.bench import _lines
from tests.bench._clips import clip, default_cache, options_for
from tests.support.clips import VIDEOS
from workers.vision.keyframes import write_jpeg
from workers.vision.sources import VideoPacket, VideoSource, open_source

GOALS = {
    "keyframe_over_full": 0.07,
    "keyframe_jpeg_over_full": 0.10,
    "due10s_over_full": 0.03,
    "hundred_held_over_ten_decoded": 0.8,
    "mb_per_stream": 12.0,
}
MODES = {"keyframe_over_full": "keyframes", "keyframe_jpeg_over_full": "jpeg", "due10s_over_full": "due10s"}
Row = dict[str, Any]
Work = Callable[[VideoSource, Iterator[VideoPacket]], int]


def row(name: str, value: float, ending: str = "", *, has_goal: bool = True, **sides: float | int) -> Row:
    """One result; ok where the value is not above its goal."""
    goal = GOALS[name] if has_goal else None
    return {
        "name": name + ending,
        "value": round(value, 4),
        "goal": goal,
        "ok": value <= goal if goal is not None else None,
        "sides": {key: round(side, 4) if isinstance(side, float) else side for key, side in sides.items()},
    }


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


def spent_on(path: Path, packets: int, repeats: int) -> dict[str, float]:
    """Mode → median CPU seconds for so many packets of the looped file, opening left out; and what was counted."""
    with tempfile.TemporaryDirectory() as folder:
        works: dict[str, Work] = {
            "full": full_decode,
            "keyframes": keyframes,
            "jpeg": partial(keyframes, jpeg=Path(folder) / "frame.jpg"),
            "due10s": partial(keyframes, every=10.0),
        }
        times: dict[str, list[float]] = {mode: [] for mode in works}
        counts: dict[str, float] = {}
        for _ in range(repeats):  # in turn, so that a noisy moment meets all modes alike
            for mode, work in works.items():
                with open_source(str(path), options=options_for(path, loop=True)) as source:
                    for packet in itertools.islice(source, 5):
                        source.decode_keyframe(packet)  # the shared decoder is there already, as in a holder
                    start = time.process_time()
                    counts[f"{mode}_count"] = work(source, itertools.islice(source, packets))
                    times[mode].append(time.process_time() - start)
    return {**{mode: statistics.median(found) for mode, found in times.items()}, **counts}


def file_rows(path: Path, ending: str, packets: int, repeats: int, *, has_goal: bool = True) -> list[Row]:
    """The three ratios of one file."""
    spent = spent_on(path, packets, repeats)
    return [
        row(
            name,
            spent[mode] / spent["full"],
            ending,
            has_goal=has_goal or mode == "due10s",
            full_s=spent["full"],
            **{f"{mode}_s": spent[mode], "packets": packets, "pictures": int(spent[f"{mode}_count"])},
        )
        for name, mode in MODES.items()
    ]


def live_rows(cache: Path, seconds: float, codecs: tuple[str, ...]) -> list[Row]:
    """The same of live streams: the stream holder against a loop that decodes everything."""
    rows = []
    for camera, cores in _lines.measure(cache, seconds, codecs).items():
        for name, mode in MODES.items():
            if "full" in cores and mode in cores:
                sides = {"full_cores": cores["full"], f"{mode}_cores": cores[mode]}
                rows.append(row(name, cores[mode] / cores["full"], f"_{camera}", **sides))
    return rows


def held_rows(path: Path, *, quick: bool) -> list[Row]:
    """Hold and decode in one fresh process, so that its memory is its own and both sides meet the same load."""
    streams, seconds = (40, 6) if quick else (100, 14)
    command = [sys.executable, "-m", "tests.bench._held", str(path), str(streams), str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    sides = json.loads(done.stdout)
    hundred, ten = sides["cores"] * 100 / streams, sides.pop("ten_decoded_cores")
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
    """Measure; quick takes about a minute once the clips are made."""
    cv2.setNumThreads(1)  # as in the stream holder's process
    cache = cache or default_cache()
    packets, repeats = (500, 1) if quick else (1000, 3)
    rows = file_rows(clip(cache), "", packets, repeats)
    gops = (50,) if quick else (25, 50, 250)
    for codec, gop in itertools.product(("h264", "h265"), gops):
        if (codec, gop) != ("h264", 50):
            ending = f"_{codec}" if gop == 50 else f"_{codec}_gop{gop}"
            rows += file_rows(clip(cache, codec, gop), ending, packets // 2, repeats, has_goal=gop >= 50)
    if (VIDEOS / "car_park.mp4").is_file():  # GOP 60
        rows += file_rows(VIDEOS / "car_park.mp4", "_car_park", 360, repeats)
    rows += held_rows(clip(cache), quick=quick)
    # Whole intervals of ten seconds, so that every ten seconds of due10s have their one picture.
    rows += live_rows(cache, 10.0 if quick else 20.0, ("h264",) if quick else ("h264", "h265"))
    return rows


def main(arguments: list[str]) -> int:
    rows = run("--quick" in arguments)
    print(json.dumps({"bench": "capture", "rows": rows}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
