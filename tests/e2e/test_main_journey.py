"""The main journey in a real browser: a camera, its live picture, a task, the event, the verdict, the delivery.

Elements are found by role, form field, address or data attribute, so that both languages walk the same steps; the
words that are asserted come from the catalogue of the language.
"""

from __future__ import annotations

import re
from base64 import b32decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django_otp.oath import TOTP

from apps.accounts.models import User
from apps.devices.models import Camera
from apps.events.models import Event, Review
from apps.openapi.models import ApiKey, App, Delivery, Subscription
from demo.clips import ensure_clips
from tests.e2e.canaries import USER, plant
from tests.e2e.conftest import Place
from tests.e2e.town import CLIP, Town
from tests.e2e.visitor import Visitor, visitor
from tests.support import factories
from tests.support.browser import available
from tests.support.receiver import Visit

EVENT_SECONDS = 240.0
DELIVERY_SECONDS = 120.0
EVENT_NAMES = {"zh-hans": "物品遗留", "en": "Object left behind"}
ROLES = ("resource_manager", "bureau_officer")


@pytest.fixture
def clip(clip_cache: Path) -> bytes:
    """Someone leaves a bag, rendered."""
    return ensure_clips(clip_cache, [CLIP])[CLIP].video.read_bytes()


@pytest.fixture
def town(place: Place, language: str, tmp_path: Path) -> Iterator[Town]:
    """A bureau of its own for each language."""
    made = Town(place.road, f"公安 {language}", tmp_path)
    yield made
    made.rest()


@pytest.mark.timeout(1200)
@pytest.mark.skipif(bool(available()), reason=available() or "present")
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_main_journey(place: Place, town: Town, clip: bytes, language: str) -> None:
    person = town.person(*ROLES)
    password = secrets_of(person)
    place.http.add(f"/{language}/locked.ts", b"no", status=401)
    place.http.add_live(f"/{language}/first.ts", clip)
    place.http.add_live(f"/{language}/second.ts", clip)
    with visitor(place.site, language) as guest:
        mistype(guest, person.username)
        guest.log_in(person.username, password)
        camera = add_camera(guest, town, with_password(place.http.url(f"/{language}/first.ts")))
        watch_live(guest, camera)
        see_why_there_is_no_picture(guest, town)
        town.rule(camera)
        create_task(guest, town, camera)
        analyse_a_locked_camera(town, with_password(place.http.url(f"/{language}/locked.ts")))
        event = see_event_arrive(guest, place, camera)
        see_first_load_is_the_same(guest, event)
        read_decision(guest, event)
        review_by_keyboard(guest, place, event, person)
        subscription, secret = subscribe(guest, place, language)
        send_test(guest, place, subscription, secret)
        second = next_event(place, town, with_password(place.http.url(f"/{language}/second.ts")))
        assert len(visits(place, subscription)) == 1  # nothing leaves before somebody confirms it
        confirm_on_its_page(guest, place, second)
        see_delivered(guest, place, subscription, secret, second, "raised")
        see_delivered(guest, place, subscription, secret, second, "reviewed")
        assert {told(visit) for visit in visits(place, subscription)[1:]} == {str(second.pk)}
        code = set_up_second_factor(guest, password)
        log_in_by_recovery_code(guest, person, password, code)
        assert guest.problems == []


def secrets_of(person: User) -> str:
    """The person's password is a secret that is looked for afterwards (tests/e2e/test_s44_canaries.py)."""
    password = plant("person's password", f"Canary0login0{person.pk.hex[-12:]}")
    person.set_password(password)
    person.save(update_fields=["password"])
    return password


def with_password(url: str) -> str:
    """The camera's address as people write it, with a password in it that is looked for afterwards."""
    return url.replace("://", f"://{USER}:{plant('camera password', 'Canary0camera0Pw')}@")


def mistype(guest: Visitor, username: str) -> None:
    """A wrong password is refused, and is a secret all the same: mostly it is the right one of another place."""
    guest.page.goto(f"{guest.site}/login/")
    guest.page.locator("#id_username").fill(username)
    guest.page.locator("#id_password").fill(plant("mistyped password", "Canary0mistyped0Pw"))
    guest.page.locator(".door-form button.btn-primary").click()
    guest.page.wait_for_selector(".door-form [role=alert]")


def analyse_a_locked_camera(town: Town, url: str) -> None:
    """One that refuses the password: what fails is written to logs, and must be without it."""
    locked = town.camera("锁住点位", url, longitude=120.02, latitude=30.02)
    town.rule(locked)
    town.task("锁住", [locked], [town.version], sampling="keyframes", interval=2.0)


def set_up_second_factor(guest: Visitor, password: str) -> str:
    """By the key that the page shows; answers one of the recovery codes, which are shown once."""
    guest.open("accounts:second-factor-enrol")
    secret = plant("TOTP secret", guest.page.locator("main code.mono").inner_text().replace(" ", ""))
    guest.page.locator("#id_code").fill(f"{TOTP(b32decode(secret)).token():06d}")
    guest.page.locator("#id_password").fill(password)
    guest.submit()
    codes = guest.page.locator("ul.mono li").all_inner_texts()
    assert len(codes) == 10
    return plant("recovery code", codes[0].strip())


def log_in_by_recovery_code(guest: Visitor, person: User, password: str, code: str) -> None:
    """Without the telephone: password, then the recovery code."""
    guest.page.context.clear_cookies()
    guest.page.goto(f"{guest.site}/login/")
    guest.page.locator("#id_username").fill(person.username)
    guest.page.locator("#id_password").fill(password)
    guest.page.locator(".door-form button.btn-primary").click()
    guest.page.locator("#id_code").fill(code)
    guest.page.locator(".door-form button.btn-primary").click()
    guest.page.wait_for_selector(".live-state[data-state=open]")


def add_camera(guest: Visitor, town: Town, url: str) -> Camera:
    """The form tries the stream first and shows the first picture with codec, size, rate and keyframe interval."""
    page = guest.page
    guest.walk_to("devices:camera-map", "devices:camera-list")
    page.locator(f'a[href="{reverse("devices:camera-add")}"]').first.click()
    page.locator("#id_name").fill("站前广场")
    page.locator("#id_stream_url").fill(url)
    page.locator("#id_address").fill("站前街道 1 号")
    page.locator("#id_longitude").fill("120.001")
    page.locator("#id_latitude").fill("30.001")
    page.locator("[data-stream-test-target=button]").click()
    guest.picture_shows("[data-stream-test-target=result] .stream-picture")
    found = page.locator("[data-stream-test-target=result]").inner_text()
    assert all(word in found for word in ("h264", "640×360", "12.0 fps", "24")), found
    assert guest.words("The stream works") in found
    guest.submit()
    page.wait_for_url(re.compile(r"/devices/cameras/[0-9a-f-]{36}/$"))
    camera = Camera.objects.get(managing_organisation=town.home, name="站前广场")
    assert camera.pk.hex in page.url.replace("-", "")
    return camera


def watch_live(guest: Visitor, camera: Camera) -> None:
    """The player gets to live by the real socket, and its picture moves."""
    guest.page.wait_for_selector(".player[data-mode=live]")
    before = guest.page.evaluate("document.querySelector('.player video').currentTime")
    guest.wait("(before) => document.querySelector('.player video').currentTime > before + 2", before)
    assert guest.page.evaluate("document.querySelector('.player video').videoWidth") == 640
    assert guest.page.locator("[data-player-target=mode]").inner_text() == guest.words("Live")
    assert guest.page.locator("[data-player-target=watermark]").inner_text().strip()


def see_why_there_is_no_picture(guest: Visitor, town: Town) -> None:
    """A camera without a stream says so instead of showing nothing."""
    bare = factories.camera(town.home, name="无流点位")
    guest.open("devices:camera-detail", bare.pk)
    reason = guest.words("This camera has no stream.")
    guest.wait("(reason) => document.querySelector('.player-message').textContent.includes(reason)", reason)
    assert guest.page.locator(".player[data-mode=live]").count() == 0


def create_task(guest: Visitor, town: Town, camera: Camera) -> None:
    """Name, camera found by words, algorithm, plan, keyframes; submitted at once."""
    page = guest.page
    guest.walk_to("analysis:task-list", "analysis:task-list")
    page.locator(f'a[href="{reverse("analysis:task-add")}"]').first.click()
    page.locator("#id_name").fill("遗留物")
    page.locator("#id_plan").select_option(str(town.plan.pk))
    page.locator("#id_sampling").select_option("keyframes")
    page.locator("#id_interval").fill("2")
    with page.expect_response(lambda answer: reverse("analysis:camera-choices") in answer.url):
        page.locator('.field-wide input[name="q"]').fill("站前")
    guest.wait("document.querySelectorAll('#camera-choices input').length === 1")
    page.locator(f'#camera-choices input[value="{camera.pk}"]').check()
    page.locator(f'input[name="versions"][value="{town.version.pk}"]').check()
    guest.submit()
    page.wait_for_url(re.compile(r"/analysis/tasks/[0-9a-f-]{36}/$"))
    assert page.locator("#units tbody tr").count() == 1


def see_event_arrive(guest: Visitor, place: Place, camera: Camera) -> Event:
    """Row and marker appear on the live page by themselves."""
    page = guest.page
    guest.walk_to("events:live", "events:live")
    page.wait_for_selector(".live-state[data-state=open]")
    page.wait_for_selector(".leaflet-pane", state="attached")
    page.evaluate("window.stillTheSamePage = true")
    event = place.road.until(
        lambda: Event.objects.filter(camera=camera).order_by("pk").first(), EVENT_SECONDS, "the event"
    )
    page.wait_for_selector(f'.event-item[data-event-id="{event.pk}"]')
    page.wait_for_selector(f'.map-event[data-event-id="{event.pk}"]', state="attached")
    assert page.evaluate("window.stillTheSamePage") is True
    row = page.locator(f'.event-item[data-event-id="{event.pk}"]')
    assert EVENT_NAMES[guest.language] in row.inner_text()
    return event


def see_first_load_is_the_same(guest: Visitor, event: Event) -> None:
    """Opened again, the page shows what the socket had brought: row and marker."""
    guest.open("events:live")
    guest.page.wait_for_selector(f'.event-item[data-event-id="{event.pk}"]')
    guest.page.wait_for_selector(f'.map-event[data-event-id="{event.pk}"]', state="attached")
    marker = guest.page.locator(f'.map-event[data-event-id="{event.pk}"]')
    assert marker.get_attribute("title") == EVENT_NAMES[guest.language]


def read_decision(guest: Visitor, event: Event) -> None:
    """Through the row to the event: picture, and the chain from capture to what allowed it."""
    page = guest.page
    page.locator(f'.event-item[data-event-id="{event.pk}"] a').click()
    page.wait_for_url(f"**{reverse('events:event-detail', args=[event.pk])}")
    guest.picture_shows('[data-controller~="picture"] img')
    links = page.locator("section:has(.icon use[href$='#photo']) dl.facts > dt")
    words = ("Capture", "Algorithm", "Scene rule", "Strategy", "Event", "Reviews", "Deliveries", "Allowed by")
    assert [text.strip() for text in links.all_inner_texts()] == [guest.words(word) for word in words]
    page.wait_for_selector(
        f'[hx-get*="{reverse("strategies:event-trace", args=[event.raw_event_id])}"] .state'
    )
    assert "遗留物" in page.locator(f'a[href^="{reverse("analysis:task-list")}"]').last.inner_text()


def review_by_keyboard(guest: Visitor, place: Place, event: Event, person: User) -> None:
    """A confirms, Z takes it back, X and a chip's number make it a false alarm with its reason."""
    page = guest.page
    guest.walk_to("events:live", "events:workbench")
    page.locator(f'.review-queue li[data-id="{event.pk}"]').click()
    panel = f'.workbench-panel a[href="{reverse("events:event-detail", args=[event.pk])}"]'
    page.wait_for_selector(panel)
    guest.picture_shows(".workbench-panel [data-controller~=picture] img")
    page.keyboard.press("a")
    page.wait_for_selector(".toast-undo:not([hidden])")
    assert state_of(event) == "confirmed"
    page.keyboard.press("z")
    page.locator(".toast-words").filter(has_text=guest.words("Undone")).wait_for()
    assert state_of(event) == "pending"
    page.wait_for_selector(panel)
    page.keyboard.press("x")
    page.wait_for_selector(".reason-chips:not([hidden])")
    page.keyboard.press("2")
    place.road.until(lambda: state_of(event) == "false_alarm", 30.0, "the false alarm")
    kept = Review.objects.filter(event=event, undone_at=None).get()
    assert (kept.verdict, kept.reason, kept.reviewer) == ("false_alarm", "shadow", person)
    assert Review.objects.filter(event=event).exclude(undone_at=None).get().verdict == "confirmed"


def state_of(event: Event) -> str:
    """Its review state now."""
    return Event.objects.values_list("review_state", flat=True).get(pk=event.pk)


def subscribe(guest: Visitor, place: Place, language: str) -> tuple[Subscription, str]:
    """An App, its key shown once, a subscription to a real receiver, its secret shown once."""
    page = guest.page
    guest.walk_to("openapi:app-list", "openapi:app-list")
    page.locator(f'a[href="{reverse("openapi:app-add")}"]').first.click()
    page.locator("#id_name").fill(f"值班系统 {language}")
    guest.submit()
    page.wait_for_url(re.compile(r"/openapi/apps/[0-9a-f-]{36}/$"))
    app = App.objects.get(name=f"值班系统 {language}")
    form = page.locator(f'form[action="{reverse("openapi:key-add", args=[app.pk])}"]')
    form.locator('input[value="events:read"]').check()
    form.locator("button[type=submit]").click()
    shown = page.locator("section[role=status] .copy code").inner_text()
    assert shown.startswith(f"vk_{ApiKey.objects.get(app=app).prefix}_")
    plant("API key", shown)
    page.locator(f'a[href$="?app={app.pk}"]').click()
    page.locator("#id_name").fill("值班")
    assert page.locator("#id_app").input_value() == str(app.pk)
    page.locator("#id_endpoint").fill(f"{place.receiver.url}/{language}")
    for kind, wanted in {"raised": True, "updated": False, "ended": False, "reviewed": True}.items():
        page.locator(f'input[name="kinds"][value="{kind}"]').set_checked(wanted)
    guest.submit()
    secret = page.locator("section[role=status] .copy code").inner_text()
    assert secret.startswith("whsec_")
    plant("webhook secret", secret)
    return Subscription.objects.get(app=app), secret


def visits(place: Place, subscription: Subscription) -> list[Visit]:
    """What the receiver got for this subscription."""
    return [visit for visit in list(place.receiver.visits) if subscription.endpoint.endswith(visit.path)]


def told(visit: Visit) -> str:
    """The event that a message is about."""
    return str(visit.document["data"]["event"])


def send_test(guest: Visitor, place: Place, subscription: Subscription, secret: str) -> None:
    """The test button sends one signed example and says that the receiver took it."""
    action = reverse("openapi:subscription-test", args=[subscription.pk])
    guest.page.locator(f'form[action="{action}"] button').click()
    guest.page.wait_for_selector("#test-result .state-green")
    assert guest.words("The receiver took the message") in guest.page.locator("#test-result").inner_text()
    [visit] = visits(place, subscription)
    assert visit.verified(secret) == visit.document


def next_event(place: Place, town: Town, url: str) -> Event:
    """The same happens elsewhere: another camera comes under analysis."""
    camera = town.camera("站后广场", url, longitude=120.004, latitude=30.003)
    town.rule(camera)
    town.task("第二处", [camera], [town.version], sampling="keyframes", interval=2.0)
    return place.road.until(
        lambda: Event.objects.filter(camera=camera).order_by("pk").first(), EVENT_SECONDS, "the next event"
    )


def confirm_on_its_page(guest: Visitor, place: Place, event: Event) -> None:
    """The event's own page judges it too; types under review first are told of now."""
    guest.open("events:event-detail", event.pk)
    guest.page.locator('button[name=verdict][value="confirmed"]').click()
    place.road.until(lambda: state_of(event) == "confirmed", 60.0, "the confirmation")
    guest.page.wait_for_load_state("networkidle")


def see_delivered(
    guest: Visitor, place: Place, subscription: Subscription, secret: str, event: Event, kind: str
) -> None:
    """The receiver has the signed message, and the deliveries page says delivered."""

    def arrived() -> Any:
        ours = (visit for visit in visits(place, subscription) if visit.document["type"].endswith(f".{kind}"))
        return next((visit for visit in ours if told(visit) == str(event.pk)), None)

    visit: Visit = place.road.until(arrived, DELIVERY_SECONDS, f"the message {kind}")
    assert visit.verified(secret) == visit.document
    rows = Delivery.objects.filter(subscription=subscription, event_id=event.pk, kind=kind)
    place.road.until(
        lambda: rows.filter(state="delivered").exists(), DELIVERY_SECONDS, f"{kind} to be written"
    )
    guest.walk_to("openapi:app-list", "openapi:delivery-list")
    row = guest.page.locator(f'tr:has(a[href="{reverse("openapi:delivery-detail", args=[rows.get().pk])}"])')
    badge = row.locator('[data-column="state"] .state-green')
    assert badge.inner_text().strip() == guest.words("Delivered")
