"""Someone leaves a bag: one event, live on the page, signed at the bureau's server, reviewed, told again."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.permissions import SYSTEM, Principal
from apps.algorithms.models import AlgorithmVersion
from apps.analysis.services import ensure_scene, save_scene_rule
from apps.devices.models import Camera
from apps.events.models import Event, RawEvent
from apps.events.services import review_event
from apps.events.services.review import UNDO
from apps.openapi.services import create_subscription, register_app
from apps.strategies.models import Trace
from apps.strategies.services.ensure_default import ensure_default_strategy
from demo.clips import ensure_clips
from demo.packaging import build_package
from demo.render.stories import BY_NAME
from tests.flows.conftest import Place
from tests.support import factories
from tests.support.browser import Watched, available, chromium
from tests.support.city import City
from tests.support.receiver import Receiver, Visit

CLIP = "bag_left"
DWELL = 8.0
WINDOW = 8.0
EVENT_SECONDS = 90.0


@pytest.fixture(scope="module")
def city(place: Place, tmp_path_factory: pytest.TempPathFactory) -> City:
    """The bureau, its strategy and the built-in algorithm."""
    made = City(place.road, "公安")
    ensure_default_strategy(made.home, window_s=WINDOW)
    return made


@pytest.fixture(scope="module")
def version(city: City, tmp_path_factory: pytest.TempPathFactory) -> AlgorithmVersion:
    """left-object, imported through upload and check."""
    archive = build_package("left-object", tmp_path_factory.mktemp("packages") / "left-object.zip")
    kind = city.event_type("020102", "物品遗留", review_policy="direct")
    return city.package(archive, {"left-object": kind})["left-object"]


@pytest.mark.timeout(420)
@pytest.mark.skipif(bool(available()), reason=available() or "present")
def test_a_bag_left_is_one_event_seen_live_and_told_signed(
    city: City, version: AlgorithmVersion, place: Place, clip_cache: Path
) -> None:
    clip = ensure_clips(clip_cache, [CLIP])[CLIP]
    place.http.add_once("/bag.ts", clip.video.read_bytes())
    camera = city.camera("站前广场", place.http.url("/bag.ts"), address="站前街道站前广场北侧")
    rule_near(city, camera, version)
    secret = subscription(city, place.receiver)
    officer = factories.user(city.home, ("bureau_officer", "event_reviewer"))
    with chromium() as browser:
        open_live_page(browser, place, officer)
        city.task("遗留物", [camera], [version], sampling="keyframes", interval=2.0)
        event = place.road.until(
            lambda: Event.objects.filter(camera=camera).first(), EVENT_SECONDS, "the event"
        )
        must_be_seen(browser, event)
        raised = message(place, secret, "raised")
        must_tell(raised, event, camera)
        review = review_event(principal=reviewer(officer), event_id=event.pk, verdict="confirmed")
        reviewed = message(place, secret, "reviewed", seconds=40.0)
        assert browser.complaints == []
    assert json.loads(reviewed.body)["data"]["review"] == "confirmed"
    assert reviewed.at >= (review.created_at + UNDO).timestamp()
    message(place, secret, "ended", seconds=120.0)
    must_be_alone(city, camera, event, place)


def rule_near(city: City, camera: Camera, version: AlgorithmVersion) -> None:
    """The zone that the story's own truth names, as an operator would draw it."""
    ring = [list(point) for point in BY_NAME[CLIP].polygons()["near"]]
    region = {
        "type": "Polygon",
        "space": "image-norm",
        "preset": 0,
        "coordinates": [[*ring, ring[0]]],
    }
    save_scene_rule(
        by=SYSTEM,
        scene=ensure_scene(camera=camera),
        algorithm=version.algorithm,
        owner=city.home,
        regions=[region],
        parameters={"dwell": DWELL},
    )


def subscription(city: City, receiver: Receiver) -> str:
    """The bureau's App hears of everything; returns the secret it was shown once."""
    app = register_app(by=SYSTEM, organisation=city.home, name="值班系统")
    kinds = ("raised", "ended", "reviewed")
    return create_subscription(by=SYSTEM, app=app, name="值班", endpoint=receiver.url, kinds=kinds).secret


def reviewer(user: User) -> Principal:
    """The principal that this user is."""
    from apps.accounts.permissions import principal_of_user

    found = principal_of_user(user)
    assert found is not None
    return found


def open_live_page(browser: Watched, place: Place, user: User) -> None:
    """Logged in on the live page, its socket open and a mark on its window that a reload would wipe."""
    browser.log_in(place.road.url, user.username, factories.PASSWORD)
    browser.page.goto(place.road.url + reverse("events:live"))
    browser.page.wait_for_selector(".live-state[data-state=open]")
    browser.page.wait_for_selector(".leaflet-pane", state="attached")
    assert browser.page.locator(".event-item").count() == 0
    browser.page.evaluate("window.stillTheSamePage = true")


def must_be_seen(browser: Watched, event: Event) -> None:
    """Row and marker appear by themselves."""
    browser.page.wait_for_selector(f'.event-item[data-event-id="{event.pk}"]')
    browser.page.wait_for_selector(f'.map-event[data-event-id="{event.pk}"]', state="attached")
    assert browser.page.evaluate("window.stillTheSamePage") is True
    assert browser.page.locator(".event-item").count() == 1
    assert "物品遗留" in browser.page.locator(".event-item").inner_text()


def message(place: Place, secret: str, kind: str, seconds: float = 30.0) -> Visit:
    """The one message of this kind, its signature verified by the public library."""

    def of_kind() -> list[Visit]:
        return [visit for visit in list(place.receiver.visits) if visit.document["type"].endswith(f".{kind}")]

    place.road.until(of_kind, seconds, f"the message {kind}")
    assert len(of_kind()) == 1
    assert of_kind()[0].verified(secret) == of_kind()[0].document
    return of_kind()[0]


def must_tell(visit: Visit, event: Event, camera: Camera) -> None:
    """The message is the contract's, and its pictures can be fetched."""
    document: dict[str, Any] = visit.document
    data = document["data"]
    assert document["specversion"] == "1.0"
    assert document["type"] == "cn.vantage.event.020102.raised"
    assert (document["id"], document["subject"]) == (visit.message, str(camera.pk))
    assert (data["event"], data["code"], data["phase"]) == (str(event.pk), "020102", "new")
    assert data["camera"]["name"] == "站前广场"
    assert {image["kind"] for image in data["images"]} == {"frame", "annotated", "crop"}
    for image in data["images"]:
        with urllib.request.urlopen(image["url"], timeout=30) as answer:
            assert answer.headers["Content-Type"] == "image/jpeg"
            assert answer.read(2) == b"\xff\xd8"


def must_be_alone(city: City, camera: Camera, event: Event, place: Place) -> None:
    """The clip was played to its end, and nothing else came of it."""
    place.road.until(lambda: Camera.objects.get(pk=camera.pk).state == "offline", 90.0, "the end of the clip")
    city.settle()
    assert list(Event.objects.filter(camera=camera).values_list("pk", flat=True)) == [event.pk]
    event.refresh_from_db()
    assert event.ended_at is not None
    assert event.review_state == "confirmed"
    raws = RawEvent.objects.filter(camera=camera)
    assert raws.count() == event.occurrences
    assert Trace.objects.filter(camera=camera, event_id=event.pk).count() == raws.count()
    happening = BY_NAME[CLIP].happenings[0]
    seen = (event.last_seen - event.first_seen).total_seconds()
    assert seen <= happening.end - happening.start
