"""The chain of one frame: its stages in order, whoever asks for it, by whichever id."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.permissions import SYSTEM
from apps.analysis.models import CaptureSlot
from apps.core import clock
from apps.core.ids import uuid7
from apps.core.trace import frame_id
from apps.devices.services import NewCapture
from apps.dispatch.selectors.frame import find_frame
from apps.dispatch.views import stages_of
from apps.events.models import Event
from apps.strategies.models import Trace
from tests.attacks import world as worlds
from tests.attacks.world import World
from tests.support import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(settings: Any, tmp_path: Any) -> World:
    settings.VANTAGE_OUTBOUND_EXACT = [worlds.ENDPOINT]
    settings.MEDIA_ROOT = tmp_path
    return worlds.build()


def operator(world: World) -> Client:
    client = Client()
    client.force_login(factories.user(world.camera.managing_organisation, roles=("operator",)))
    return client


def test_the_trace_is_the_id_of_the_stored_picture(world: World) -> None:
    event: Event = world.event
    kept = NewCapture(event.camera_id, event.preset, event.time, "", 0, 0)
    assert frame_id(event.camera_id, event.preset, event.time) == kept.id
    frame = find_frame(event.pk, SYSTEM)
    assert frame is not None
    assert frame.trace == kept.id.hex


def test_an_event_leads_to_the_whole_road(world: World) -> None:
    frame = find_frame(world.event.pk, SYSTEM)
    assert frame is not None
    stages = stages_of(frame, SYSTEM)
    keys = [stage.key for stage in stages]
    assert keys[0] == "capture"
    assert keys.index("write") < keys.index("event")
    assert {"event", "delivery"} <= set(keys)
    assert find_frame(world.event.raw_event_id, SYSTEM) == frame


def test_a_slot_that_was_not_captured_says_why() -> None:
    camera = factories.camera()
    planned = clock.now() - timedelta(minutes=1)
    slot = CaptureSlot.objects.create(
        id=frame_id(camera.pk, 0, planned),
        camera=camera,
        planned_at=planned,
        deadline=planned,
        executions=[],
        state="not_captured",
        reason="unreachable",
        attempts=2,
    )
    frame = find_frame(slot.pk, SYSTEM)
    assert frame is not None
    [stage] = stages_of(frame, SYSTEM)
    assert (stage.state, stage.key) == ("failed", "capture")
    assert stage.error
    assert find_frame(uuid4(), SYSTEM) is None


def test_a_slot_without_hits_shows_its_results(world: World) -> None:
    slot = world.slot
    moment = clock.now()
    CaptureSlot.objects.filter(pk=slot.pk).update(
        state="captured",
        captured_at=moment,
        executions=[uuid4()],
        results={str(uuid4()): {"outcome": "not_analysed", "reason": "engine_error", "ms": 3.5}},
    )
    frame = find_frame(slot.pk, SYSTEM)
    assert frame is not None
    last = stages_of(frame, SYSTEM)[-1]
    assert (last.key, last.state) == ("inference", "failed")
    CaptureSlot.objects.filter(pk=slot.pk).update(
        results={str(uuid4()): {"outcome": "clear", "reason": "unchanged", "ms": 0.2}}
    )
    frame = find_frame(slot.pk, SYSTEM)
    assert frame is not None
    [(word, said)] = stages_of(frame, SYSTEM)[-1].facts
    assert (word, said) == ("Clear", "0.2 ms Nothing had changed since the last look, which found nothing.")


def test_the_planned_time_is_local_like_the_times_beside_it(world: World) -> None:
    planned = world.slot.planned_at - timedelta(seconds=7)
    CaptureSlot.objects.filter(pk=world.slot.pk).update(planned_at=planned, captured_at=world.slot.planned_at)
    text = operator(world).get(reverse("dispatch:chain-frame", args=[world.slot.pk])).content.decode()
    shown = f"{timezone.localtime(planned):%H:%M:%S.%f}"[:-3]
    frame = find_frame(world.slot.pk, SYSTEM)
    assert frame is not None
    assert shown in [value for _word, value in stages_of(frame, SYSTEM)[0].facts]
    assert text.count(shown) >= 2, "planned, and as the beginning of the capture"
    assert f"{planned:%H:%M:%S}" != shown[:8], "the site's time zone is not UTC"
    assert " UTC" not in text


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_page_is_for_operations_of_those_who_see_the_camera(world: World, language: str) -> None:
    url = reverse("dispatch:chain-frame", args=[world.event.pk])
    answer = operator(world).get(url, headers={"accept-language": language})
    assert answer.status_code == 200
    text = answer.content.decode()
    assert " style=" not in text
    assert "<script>" not in text
    assert answer.context["frame"].trace in text
    assert world.client("other").get(url).status_code == 404
    officer = factories.user(world.camera.managing_organisation, roles=("bureau_officer",))
    client = Client()
    client.force_login(officer)
    assert client.get(url).status_code == 403
    chain = operator(world).get(reverse("dispatch:chain")).content.decode()
    assert url in chain


def test_each_version_that_judged_the_same_raw_event_has_its_stage(world: World) -> None:
    event: Event = world.event
    for verdict in ("stopped", "raised"):
        Trace.objects.create(
            id=uuid7(),
            raw_event=event.raw_event_id,
            camera=event.camera,
            time=event.time,
            verdict=verdict,
            ran_at=clock.now(),
            organisations=[],
            steps=[],
        )
    frame = find_frame(event.pk, SYSTEM)
    assert frame is not None
    assert [stage.key for stage in stages_of(frame, SYSTEM)].count("judge") >= 2
