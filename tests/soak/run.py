"""The soak itself: a town, a nemesis, gauges, and at the end the checker's verdict.

`./vantage soak --minutes 30 [--seed S] [--json]`
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.soak.gauges import Gauges
from tests.soak.nemesis import Nemesis
from tests.support.town import Town

CAMERAS, LIVE = 4, 2
READ_EVERY = 5.0
PAUSE = (4.0, 14.0)
CALM = 30.0
"""Seconds without a blow before the settling, so that what fell last is up again."""


def run(minutes: float, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Soak for that long and report."""
    with tempfile.TemporaryDirectory(prefix="vantage-soak-") as folder, Town(Path(folder)) as town:
        from django.conf import settings

        settings.VANTAGE_OUTBOUND_EXACT = town.exact
        say(f"soak: {minutes:g} min, seed {seed}; starting the town")
        town.start()
        town.arrange(cameras=CAMERAS, live=LIVE)
        from apps.events.models import Event

        town.until(Event.objects.exists, 180, "the first event")
        nemesis, gauges = Nemesis(town, seed), Gauges()
        began = time.monotonic()
        strike_until(town, nemesis, gauges, began + minutes * 60, say)
        town.receiver.replies[:] = town.receiver.replies[-1:]
        watched_sleep(town, gauges, CALM)
        say("soak: settling")
        verdict = settled(town)
        return {
            "minutes": round((time.monotonic() - began) / 60, 1),
            "seed": seed,
            **verdict,
            "blows": nemesis.counts(),
            "restarts": {row.spec.name: row.restarts for row in town.nodes["node-1"].managed},
            "processes": gauges.report(),
            "struck": nemesis.struck,
        }


def settled(town: Town) -> dict[str, Any]:
    """The verdict; a road that does not empty is a violation too."""
    try:
        town.settle(300)
    except AssertionError as error:
        found = town.verdict(settled=False).as_dict()
        return {**found, "clean": False, "violations": [*found["violations"], str(error)]}
    from tests.support.checker import check

    return check(visits=list(town.receiver.visits), acknowledged=set(town.receiver.acknowledged)).as_dict()


def strike_until(
    town: Town, nemesis: Nemesis, gauges: Gauges, ends: float, say: Callable[[str], None]
) -> None:
    """Blow after blow with pauses, reading the gauges all the while."""
    while (left := ends - time.monotonic()) > 0:
        watched_sleep(town, gauges, min(left, nemesis.chance.uniform(*PAUSE)))
        if time.monotonic() < ends:
            say(f"{time.monotonic() - nemesis.began:7.1f} s  {nemesis.strike()}")


def watched_sleep(town: Town, gauges: Gauges, seconds: float) -> None:
    """Let time pass and read the gauges."""
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        gauges.read({**town.nodes["node-1"].pids(), **town.services.pids()})
        town.sleep(min(left, READ_EVERY))


def lines(report: Mapping[str, Any]) -> list[str]:
    """The report for a reader."""
    counts = ", ".join(f"{number} {name}" for name, number in report["counts"].items())
    found = [f"soak of {report['minutes']} min, seed {report['seed']}"]
    found.append("blows: " + ", ".join(f"{name} ×{number}" for name, number in report["blows"].items()))
    found.append("restarts: " + ", ".join(f"{name} {number}" for name, number in report["restarts"].items()))
    found.append(f"looked at: {counts}")
    found.append(
        f"{'process':<11} {'lives':>5}  memory MiB first/last/most  slope/h   files last  slope/h  threads  slope/h"
    )
    for name, row in report["processes"].items():
        memory, files, threads = row["memory_mb"], row["descriptors"], row["threads"]
        found.append(
            f"{name:<11} {row['lives']:>5}  {memory['first']:>7}/{memory['last']:>6}/{memory['most']:>6}       "
            f"{shown(memory):>9}   {files['last']:>6} {shown(files):>10}  {threads['last']:>6} {shown(threads):>9}"
        )
    found.append("verdict: clean" if report["clean"] else f"verdict: {len(report['violations'])} violations")
    return found + [f"  - {words}" for words in report["violations"]]


def shown(values: Mapping[str, Any]) -> str:
    """The slope, or a dash where no life was long enough."""
    slope = values["slope_per_hour"]
    return "–" if slope is None else f"{slope:+.1f}"
