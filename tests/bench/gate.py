"""What the difference gate saves and what it costs: inferences ÷ captures of still scenes, and events missed.

Each clip is captured every half second; one request asks the engine for two executions of the same model, one that
looks at each capture and one with the gate (`look_every` 10). What the first finds is the truth of this bench: a run
of captures with hits is an event (holes of two captures close), and it is missed when the second has no hit in it.
Clips: the demo city's, rendered where they are not there yet, and the real ones of the shared folder where present.
Still scenes are the captures of all clips on which the first execution finds nothing for at least ten captures.
"""

from __future__ import annotations

import itertools
import os
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2

from tests.bench._clips import default_cache
from tests.bench._models import BenchModel, committed, public
from tests.bench._pictures import frames_of
from tests.support.clips import VIDEOS
from workers.vision.frames import Frame, Image
from workers.vision.inference import Engine
from workers.vision.unchanged import ChangeGate, small_grey

STEP, EVERY, HOLE, STILL = 0.5, 10, 2, 10
RENDERED = ("quiet_park", "garbage_pile", "intrusion", "bag_left", "night_street", "street_stall")
REAL = (
    "man_with_broom.mp4",
    "one_by_one_persons.mp4",
    "ir_to_day_switch.mp4",
    "bottles_negative.mp4",
    "car_park.mp4",
)
TARGETS = (
    *("person", "bicycle", "car", "motorbike", "bus", "truck"),  # of COCO: what a city asks for
    *("vehicle", "bag", "garbage", "stall", "water"),  # of the demo city's detector
)
START = datetime(2026, 3, 1, 8, tzinfo=UTC)
Row = dict[str, Any]


@dataclass
class Seen:
    """One clip: per capture, did the looking execution hit, did the gated one, did it look."""

    plain: list[bool] = field(default_factory=list)
    gated: list[bool] = field(default_factory=list)
    looked: list[bool] = field(default_factory=list)

    @property
    def events(self) -> list[tuple[int, int]]:
        """First and last capture of each run of hits."""
        runs: list[tuple[int, int]] = []
        for index in [number for number, hit in enumerate(self.plain) if hit]:
            if runs and index - runs[-1][1] <= HOLE + 1:
                runs[-1] = (runs[-1][0], index)
            else:
                runs.append((index, index))
        return runs

    @property
    def missed(self) -> int:
        return sum(not any(self.gated[first : last + 1]) for first, last in self.events)

    @property
    def late(self) -> list[float]:
        """Seconds from an event's first capture to the gated execution's first hit in it."""
        return [
            (self.gated.index(True, first) - first) * STEP
            for first, last in self.events
            if any(self.gated[first : last + 1])
        ]

    @property
    def still(self) -> list[int]:
        """Captures well inside stretches on which nothing is found."""
        found: list[int] = []
        edges = [-1, *[number for number, hit in enumerate(self.plain) if hit], len(self.plain)]
        for before, after in itertools.pairwise(edges):
            if after - before - 1 >= STILL:
                found += range(before + 1, after)
        return found


def run(quick: bool = False) -> list[Row]:
    """Measure; a row is {name, value, goal, ok, sides}."""
    cv2.setNumThreads(1)
    seen: dict[str, Seen] = {}
    for name, images, model in _clips(quick=quick):
        seen[name] = _watch(images, model)
    still = {name: each.still for name, each in seen.items()}
    captures = sum(len(found) for found in still.values())
    looks = sum(seen[name].looked[index] for name, found in still.items() for index in found)
    ratio = looks / max(captures, 1)
    missed = sum(each.missed for each in seen.values())
    late = [seconds for each in seen.values() for seconds in each.late]
    shares = {name: round(sum(each.looked) / max(len(each.looked), 1), 3) for name, each in seen.items()}
    events = sum(len(each.events) for each in seen.values())
    cost = _cost()
    return [
        {
            "name": "inferences_over_captures",
            "value": round(ratio, 3),
            "goal": 0.3,
            "ok": ratio <= 0.3 and not missed,
            "sides": {"still_captures": captures, "inferences": looks, "all_captures": shares},
        },
        {
            "name": "events_missed",
            "value": missed,
            "goal": 0,
            "ok": not missed,
            "sides": {
                "events": events,
                "latest_s": max(late, default=0.0),
                **{name: each.missed for name, each in seen.items() if each.missed},
            },
        },
        {
            "name": "gate_ms",
            "value": round(cost, 3),
            "goal": None,
            "ok": None,
            "sides": {"picture": "640x360"},
        },
    ]


def _clips(*, quick: bool) -> Iterator[tuple[str, Iterator[tuple[float, Image]], BenchModel]]:
    from demo.clips import ensure_clips

    cache = Path(os.environ.get("VANTAGE_BENCH_CLIPS") or default_cache() / "clips")
    detector = committed()
    for name in RENDERED[:3] if quick else RENDERED:
        clip = ensure_clips(cache, [name])[name]
        yield name, frames_of(clip.video, STEP), detector
    models = public()
    for name in REAL[:2] if quick else REAL:
        if models and (VIDEOS / name).is_file():
            yield name, frames_of(VIDEOS / name, STEP, 180 if quick else 10**6), models[0]


def _watch(images: Iterator[tuple[float, Image]], model: BenchModel) -> Seen:
    engine, seen = Engine(), Seen()
    labels = [label for label in TARGETS if label in model.entry["output"]["labels"]]
    item = {"code": "bench.seen", "labels": labels, "rule": {"kind": "presence"}}
    plain = model.spec("plain", items=[item])
    gated = model.spec("gated", items=[item], parameters={**plain["parameters"], "look_every": EVERY})
    for seconds, image in images:
        frame = Frame(image, START + timedelta(seconds=seconds))
        always, perhaps = engine.analyse(frame, [plain, gated])
        seen.plain.append(bool(always["hits"]))
        seen.gated.append(bool(perhaps["hits"]))
        seen.looked.append(perhaps["reason"] != "unchanged")
    return seen


def _cost() -> float:
    """Milliseconds of one decision on a picture of 640×360."""
    gate = ChangeGate(EVERY)
    image = cv2.resize(cv2.getGaussianKernel(90, 20).repeat(160, 1).astype("float32") * 4000, (640, 360))
    picture = cv2.cvtColor(image.clip(0, 255).astype("uint8"), cv2.COLOR_GRAY2BGR)
    times = []
    for _ in range(200):
        started = time.perf_counter()
        grey = small_grey(picture)
        if not gate.may_skip(grey):
            gate.looked(grey, is_clear=True)
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times)


if __name__ == "__main__":
    for row in run("--quick" in sys.argv):
        print(row)
