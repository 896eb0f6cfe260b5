"""Every page that the rail leads to, and the pages behind its lists: whole, quiet, in its language, in both themes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from django.urls import reverse

from tests.attacks.world import ENDPOINT, World, build
from tests.e2e.conftest import Place
from tests.e2e.visitor import Visitor, visitor
from tests.support import factories
from tests.support.browser import available

ROLES = {"operator": ("operator",), "officer": ("bureau_officer",)}
#: Pages behind lists and menus: URL name, the object that it shows, the roles that may open it.
BEHIND: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("profile", "", ("operator", "officer")),
    ("search", "", ("operator", "officer")),
    ("password_change", "", ("operator", "officer")),
    ("devices:camera-detail", "camera", ("operator", "officer")),
    ("devices:camera-add", "", ("operator",)),
    ("devices:camera-edit", "camera", ("operator",)),
    ("devices:stream-edit", "camera", ("operator",)),
    ("devices:purpose", "", ("operator", "officer")),
    ("devices:lock-list", "", ("operator",)),
    ("devices:lock-add", "", ("operator",)),
    ("dispatch:chain-frame", "event", ("operator",)),
    ("accounts:second-factor-enrol", "", ("operator", "officer")),
    ("accounts:requisition-list", "", ("operator", "officer")),
    ("accounts:requisition-add", "", ("operator", "officer")),
    ("algorithms:algorithm-detail", "algorithm", ("operator", "officer")),
    ("algorithms:package-detail", "package", ("operator", "officer")),
    ("algorithms:package-upload", "", ("operator",)),
    ("algorithms:event-type-add", "", ("operator",)),
    ("algorithms:event-type-edit", "event_type", ("operator",)),
    ("analysis:task-detail", "task", ("operator", "officer")),
    ("analysis:task-add", "", ("operator", "officer")),
    ("analysis:scene-add", "", ("operator",)),
    ("analysis:scene-edit", "camera", ("operator",)),
    ("analysis:plan-add", "", ("operator", "officer")),
    ("analysis:plan-edit", "plan", ("operator", "officer")),
    ("events:event-detail", "event", ("operator", "officer")),
    ("strategies:strategy-detail", "strategy", ("operator", "officer")),
    ("strategies:trace-detail", "trace", ("operator", "officer")),
    ("openapi:app-detail", "app", ("operator", "officer")),
    ("openapi:app-add", "", ("operator", "officer")),
    ("openapi:subscription-detail", "subscription", ("operator", "officer")),
    ("openapi:subscription-add", "", ("operator", "officer")),
    ("openapi:subscription-edit", "subscription", ("operator", "officer")),
    ("openapi:delivery-detail", "delivery", ("operator", "officer")),
)
MORE_ARGUMENTS: dict[str, tuple[Any, ...]] = {"analysis:scene-edit": (0,)}
PHONE = ("home", "events:event-detail", "devices:camera-detail")
OVERFLOW = """() => [...document.querySelectorAll('body *')]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .slice(0, 5).map((one) => `${one.tagName}.${one.className} ${Math.round(one.getBoundingClientRect().right)}`)"""
IS_WIDE = "() => document.scrollingElement.scrollWidth > document.scrollingElement.clientWidth"
LABELS = """() => [...document.querySelectorAll(`main :is(h1, h2, h3, th, dt, label, legend, summary, button, a.btn),
    main [aria-label], .rail-word, .area-pages a, .topbar [aria-label]`)]
  .filter((one) => !one.closest('code, .mono, .swagger-ui, .copy, .leaflet-container'))
  .map((one) => (one.getAttribute('aria-label') ?? one.innerText).trim())"""
LATIN, HAN = re.compile(r"[A-Za-z]{3,}"), re.compile(r"[\u4e00-\u9fff]")
#: Names, and words of the data themselves, which stay as they are in Chinese.
NAMES = frozenset({"Vantage", "bag", "test"})
WRONG_WORDS = ("[invalid name]", "[object Object]", "undefined", "NaN")


@pytest.fixture(scope="module")
def world(place: Place, django_db_blocker: Any) -> Iterator[World]:
    """One of everything, and beside it what the journeys left."""
    exact = [*settings.VANTAGE_OUTBOUND_EXACT, ENDPOINT]
    with django_db_blocker.unblock(), override_settings(VANTAGE_OUTBOUND_EXACT=exact):
        yield build()


@pytest.fixture(scope="module")
def people(world: World) -> dict[str, str]:
    """Login names of an operator and an officer of the bureau whose objects these are."""
    home = world.camera.managing_organisation
    return {who: factories.user(home, roles).username for who, roles in ROLES.items()}


@pytest.mark.timeout(1200)
@pytest.mark.skipif(bool(available()), reason=available() or "present")
@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("who", list(ROLES))
def test_every_page_is_whole_in_both_themes(
    place: Place, world: World, people: dict[str, str], who: str, language: str
) -> None:
    found: dict[str, Any] = {}
    with visitor(place.site, language) as guest:
        guest.log_in(people[who], factories.PASSWORD)
        addresses = [*rail(guest), *behind(world, who)]
        assert len(addresses) > 25
        for address in dict.fromkeys(addresses):
            if wrong := look_at(guest, address):
                found[address] = wrong
    assert found == {}


@pytest.mark.timeout(600)
@pytest.mark.skipif(bool(available()), reason=available() or "present")
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_pages_of_messages_fit_a_phone(
    place: Place, world: World, people: dict[str, str], language: str
) -> None:
    found: dict[str, Any] = {}
    with visitor(place.site, language, width=390, height=844) as guest:
        guest.log_in(people["officer"], factories.PASSWORD)
        for name in PHONE:
            arguments = {"events:event-detail": [world.event.pk], "devices:camera-detail": [world.camera.pk]}
            address = reverse(name, args=arguments.get(name, []))
            if wrong := look_at(guest, address):
                found[address] = wrong
            assert not guest.page.locator("nav.rail").is_visible()
    assert found == {}


def rail(guest: Visitor) -> list[str]:
    """The addresses of all areas and of their pages, as links on the page say them, without Django's own pages."""
    found: list[str] = []
    areas = links(guest, "nav.rail a.rail-link")
    for area in areas:
        guest.page.goto(guest.site + area)
        found += [area, *links(guest, ".area-pages a")]
    return [address for address in found if address != reverse("admin:index")]


def links(guest: Visitor, selector: str) -> list[str]:
    """Where these links lead."""
    return guest.page.locator(selector).evaluate_all("(all) => all.map((one) => one.getAttribute('href'))")


def behind(world: World, who: str) -> list[str]:
    """Addresses of the pages behind the lists that this role may open."""
    found = []
    for name, kind, roles in BEHIND:
        if who in roles:
            arguments = [shown(world, kind)] if kind else []
            found.append(reverse(name, args=[*arguments, *MORE_ARGUMENTS.get(name, ())]))
    return found


def shown(world: World, kind: str) -> Any:
    """The id of the object of this kind."""
    if kind == "algorithm":
        return world.version.algorithm_id
    if kind == "package":
        return world.version.packages.get().pk
    if kind == "event_type":
        return world.event.event_type_id
    return getattr(world, kind).pk


def look_at(guest: Visitor, address: str) -> dict[str, Any]:
    """What is wrong with a page, in the theme it opens in and in the other one."""
    page = guest.page
    guest.problems.clear()
    answer = page.goto(guest.site + address)
    page.wait_for_load_state("networkidle")
    wrong: dict[str, Any] = {}
    if answer.status != 200:
        wrong["status"] = answer.status
    if (spoken := page.locator("html").get_attribute("lang")) != guest.language:
        wrong["language"] = spoken
    if not page.locator("[data-controller~=theme]").count():
        return wrong | {"theme": "there is no button for it"}
    for _turn in range(2):
        theme = page.locator("html").get_attribute("data-bs-theme")
        if page.evaluate(IS_WIDE):
            wrong[f"too wide in {theme}"] = page.evaluate(OVERFLOW)
        other_theme(guest, theme)
    wrong.update(wrong_words(guest))
    if guest.problems:
        wrong["problems"] = list(guest.problems)
    return wrong


def other_theme(guest: Visitor, theme: str | None) -> None:
    """By the button of the top bar, which also passes the system's own theme."""
    button = guest.page.locator("[data-controller~=theme]").first
    wanted = "light" if theme == "dark" else "dark"
    for _press in range(2):
        button.click()
        if guest.page.locator("html").get_attribute("data-theme") == wanted:
            break
    assert guest.page.locator("html").get_attribute("data-bs-theme") == wanted


def wrong_words(guest: Visitor) -> dict[str, Any]:
    """Words that nobody wrote, and on a Chinese page labels without a Chinese character."""
    text = guest.page.locator("body").inner_text()
    wrong: dict[str, Any] = {}
    if bad := [word for word in WRONG_WORDS if word in text]:
        wrong["words"] = bad
    if guest.language == "zh-hans":
        labels = [
            label for label in guest.page.evaluate(LABELS) if LATIN.search(label) and not HAN.search(label)
        ]
        if foreign := sorted(set(labels) - NAMES):
            wrong["not translated"] = foreign
    return wrong
