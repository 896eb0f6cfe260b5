"""The snapshot road: planned, captured, analysed, written; a dead camera and a dead engine say so."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest

from apps.algorithms.models import AlgorithmVersion
from apps.analysis.models import CaptureSlot
from apps.devices.models import Camera
from apps.events.models import Event
from apps.strategies.services.ensure_default import ensure_default_strategy
from tests.flows.conftest import Place
from tests.support.city import City, counted
from tests.support.street import ALGORITHM, street_clip, street_package

EVERY = 5.0
"""Seconds; the shortest interval of snapshots."""
WINDOW = 8.0


@pytest.fixture(scope="module")
def city(place: Place) -> City:
    made = City(place.road, "抓图")
    ensure_default_strategy(made.home, window_s=WINDOW)
    return made


@pytest.fixture(scope="module")
def version(city: City, tmp_path_factory: pytest.TempPathFactory) -> AlgorithmVersion:
    """The demo's detector of vehicles, imported through upload and check."""
    archive = street_package(tmp_path_factory.mktemp("packages"))
    return city.package(archive, {ALGORITHM: city.event_type("030101", "有车出现")})[ALGORITHM]


def slots_of(camera: Camera) -> list[CaptureSlot]:
    """In order of their planned time, from the camera's first moment on: what lay before was only caught up."""
    rows = CaptureSlot.objects.filter(camera=camera, planned_at__gte=camera.created_at)
    return list(rows.exclude(state="planned").order_by("planned_at"))


def finished(camera: Camera) -> list[CaptureSlot]:
    """Slots whose every execution has its result."""
    return [slot for slot in slots_of(camera) if slot.open == 0]


@pytest.mark.timeout(400)
def test_slots_are_captured_analysed_and_survive_a_dead_camera_and_a_dead_engine(
    city: City, version: AlgorithmVersion, place: Place, tmp_path: Path
) -> None:
    place.http.add_live("/street.ts", street_clip(tmp_path))
    alive = city.camera("中心大道", place.http.url("/street.ts"))
    dead = city.camera("不通", f"http://127.0.0.1:{place.dead_port}/nothing.ts")
    city.task("抓图", [alive, dead], [version], sampling="snapshot", interval=EVERY)
    road = place.road
    road.until(lambda: len(finished(alive)) >= 3 and len(finished(dead)) >= 2, 120, "finished slots")
    must_have_looked(alive)
    must_say_why(dead)
    road.kill("engine")
    waiting = road.until(lambda: captured_without_engine(alive), 90, "a slot captured without engine")
    assert not CaptureSlot.objects.get(pk=waiting).results
    road.restart("engine")
    road.until(lambda: CaptureSlot.objects.get(pk=waiting).open == 0, 120, "the slot to be analysed")
    late = CaptureSlot.objects.get(pk=waiting)
    assert len(late.results) == 1
    assert {result["outcome"] for result in late.results.values()} <= {"clear", "hit"}
    assert late.attempts > 1
    must_say_why(dead)


def must_have_looked(camera: Camera) -> None:
    """Captured in order of plan, each analysed once."""
    slots = finished(camera)
    assert {slot.state for slot in slots} == {"captured"}
    assert all(slot.captured_at is not None and slot.captured_at >= slot.planned_at for slot in slots)
    gaps = [(after.planned_at - before.planned_at).total_seconds() for before, after in pairwise(slots)]
    assert all(gap % EVERY == 0 for gap in gaps), gaps
    outcomes = [result["outcome"] for slot in slots for result in slot.results.values()]
    assert len(outcomes) == len(slots)
    assert set(outcomes) <= {"clear", "hit"}
    assert counted(camera, "not_analysed")[ALGORITHM] == 0
    camera.refresh_from_db()
    assert camera.state == "online"


def must_say_why(camera: Camera) -> None:
    """Not captured with a reason, not analysed, never clear; the camera is offline with its cause."""
    slots = finished(camera)
    assert {(slot.state, slot.reason) for slot in slots} == {("not_captured", "unreachable")}
    results = [result for slot in slots for result in slot.results.values()]
    assert {(result["outcome"], result["reason"]) for result in results} == {("not_analysed", "unreachable")}
    assert counted(camera, "not_analysed")[ALGORITHM] >= len(results)
    assert (counted(camera, "clears")[ALGORITHM], counted(camera, "hits")[ALGORITHM]) == (0, 0)
    camera.refresh_from_db()
    assert (camera.state, camera.state_cause) == ("offline", "unreachable")
    assert not Event.objects.filter(camera=camera).exists()


def captured_without_engine(camera: Camera) -> UUID | None:
    """A slot that was captured, tried at the engine in vain, and waits."""
    found = [slot for slot in slots_of(camera) if slot.state == "captured" and slot.open and slot.attempts]
    return found[0].pk if found else None
