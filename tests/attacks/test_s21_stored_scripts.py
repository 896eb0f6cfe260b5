"""S21 and S22: scripts as names: twenty payloads in every text a person can store, on every page, in a real browser.

The pages are answered by a server of this test; the browser is Debian's. A payload that ran, or became an element,
or broke the policy, is told by the page itself.
"""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import models
from django.test import Client
from django.urls import reverse

from tests.attacks import classes
from tests.attacks import world as worlds
from tests.attacks.test_s14_every_route import BOX, text_of, url_of
from tests.attacks.world import World
from tests.support import factories
from tests.support.browser import available, chromium

PAYLOADS = (
    "<script>ran()</script>", '"><script>ran()</script>', "</script><script>ran()</script>",
    "<img src=x onerror=ran()>", '"><img src=x onerror=ran()>', "'><img src=x onerror=ran()>",
    "<svg onload=ran()>", "<svg/onload=ran()//", "</title><svg onload=ran()>", "</textarea><svg onload=ran()>",
    '" autofocus onfocus=ran() x="', "' onmouseover=ran() x='", "<iframe srcdoc='<script>parent.ran()</script>'>",
    "<math><mi xlink:href=javascript:ran()>x", "javascript:ran()", "{{constructor.constructor('ran()')()}}",
    "${ran()}", "<!--<img src=--><img src=x onerror=ran()//>", "<details open ontoggle=ran()>",
    "--><img/src=x onerror=ran()><!--",
)  # fmt: skip
#: Fields that hold text but are set by the platform alone, or are read by machines.
NOT_TYPED = re.compile(
    r"(state|kind|level|status|path|address_|key|digest|prefix|fingerprint|code|slug|role|codec|scope|cause|mac|salt"
    r"|secret|credential|hash|algorithm|runtime|platform|policy|coverage|verdict|source|phase|endpoint|system|fence"
    r"|username|password|cover|class|transport|sampling|mode|version|search_text|schema|target|reason_code|review"
    r"|handling|basis|cipher|topic|holder)"
)


def typed_fields(row: models.Model) -> list[models.Field[Any, Any]]:
    """Text fields of a row that a person fills in."""
    return [
        field
        for field in row._meta.concrete_fields
        if type(field) in {models.CharField, models.TextField}
        and not field.choices
        and not field.primary_key
        and not NOT_TYPED.search(field.name)
    ]


def poison(world: World, payload: str) -> int:
    """Write the payload into every such field of every object; answers how many."""
    rows = [*world.objects.values(), world.camera.managing_organisation, world.users["manager"]]
    written = 0
    for row in rows:
        fields = {field.name: payload[: field.max_length or 200] for field in typed_fields(row)}
        if isinstance(row, type(world.camera)):
            fields["search_text"] = payload
        written += len(fields)
        type(row)._base_manager.filter(pk=row.pk).update(**fields)
    return written


class Structure(HTMLParser):
    """The elements and event attributes of a page: what a payload would add to it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.bad: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.bad += [f"{tag} {name}" for name, _ in attributes if name.startswith("on") or name == "srcdoc"]
        self.bad += [f"{tag} {value}" for name, value in attributes
                     if name in {"href", "src", "action", "xlink:href"} and "javascript:" in (value or "")]  # fmt: skip
        values = dict(attributes)
        if tag == "script" and "src" not in values and values.get("type") != "application/json":
            self.bad.append("script")
        if tag in {"iframe", "math"} or (tag == "img" and values.get("src") == "x"):
            self.bad.append(tag)


@pytest.fixture
def world(settings: Any, tmp_path: Any) -> World:
    settings.VANTAGE_OUTBOUND_EXACT = [worlds.ENDPOINT]
    settings.MEDIA_ROOT = tmp_path
    made = worlds.build()
    made.objects["algorithm"] = made.version.algorithm
    made.objects["item"] = made.version.algorithm.items.get()
    made.objects["package"] = made.version.packages.get()
    made.objects["event_type"] = made.event.event_type
    return made


def pages(world: World) -> list[str]:
    """The addresses of every page that shows these objects."""
    found = [
        url_of(key, {}) + f"?bbox={BOX}&box={BOX}" for key in classes.LOGIN if not key.startswith("api:")
    ]
    found += [
        url_of(key, about.identifiers(world)) + (f"?event={world.event.pk}" if "explain" in key else "")
        for key, about in classes.OBJECT.items()
        if not key.startswith("api:")
    ]
    found += [url_of(key, {"pk": getattr(world, name).pk}) for key, name in classes.SHARED.items() if ":" in key
              and not key.startswith("api:")]  # fmt: skip
    return found


#: Four at a time in one text, so that the walk stays short; most fields hold 200 characters.
TOGETHER = ["".join(PAYLOADS[start::5]) for start in range(5)]


@pytest.mark.django_db
def test_s21_no_page_takes_a_stored_text_for_markup(world: World) -> None:
    client, shown, wrong = world.client("manager"), 0, []
    for payload in TOGETHER:
        assert poison(world, payload) >= 20
        found = _walk(client, pages(world))
        shown, wrong = shown + found[0], wrong + found[1]
    assert wrong == []
    assert shown >= 50, "the payloads are on the pages"


def _walk(client: Client, addresses: list[str]) -> tuple[int, list[tuple[str, str]]]:
    """How many pages show a payload, and what of them became markup."""
    shown, wrong = 0, []
    for url in addresses:
        answer = client.get(url)
        if answer.status_code != 200 or "html" not in answer.get("Content-Type", ""):
            continue
        text = text_of(answer)
        shown += "ran()" in text
        wrong += [(url, bad) for bad in Structure(text).bad]
    return shown, wrong


@pytest.mark.django_db
def test_s21_an_export_is_text(world: World) -> None:
    for payload in PAYLOADS[:3]:
        poison(world, payload)
        answer = world.client("manager").get(reverse("events:event-export"))
        assert answer["Content-Type"].startswith("text/csv")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Disposition"].startswith("attachment")
        [row] = csv.DictReader(io.StringIO(text_of(answer).removeprefix("\ufeff")))
        assert payload in row["camera"]


RAN = "window.ranCount = 0; window.ran = () => { window.ranCount += 1; };"
#: Where scripts build the page: map with markers and popups, live list, charts and tooltips, workbench, search.
BUILT = ("overview", "devices:camera-map", "events:live", "events:event-list", "events:workbench", "home")


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(bool(available()), reason=available() or "-")
def test_s21_nothing_runs_in_a_browser(live_server: Any, world: World) -> None:
    from tests.events import factories as events

    home = world.camera.managing_organisation
    for number, payload in enumerate(PAYLOADS):
        camera = factories.camera(home, name=payload, search_text=payload, longitude=120 + number / 500)
        event = events.event(events.execution(camera), now=True)
        type(event).objects.filter(pk=event.pk).update(address=payload)
    poison(world, PAYLOADS[3])
    cookie = world.client("manager").cookies["sessionid"].value
    with chromium() as watched:
        page = watched.page
        page.add_init_script(RAN)
        page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        for name in BUILT:
            page.goto(live_server.url + reverse(name))
            page.wait_for_load_state("load")
            if name in {"overview", "devices:camera-map"}:
                page.wait_for_selector(".leaflet-marker-icon, .leaflet-interactive")
                for marker in page.locator(".leaflet-marker-icon").all()[:6]:
                    # By event, as a marker may lie outside the visible part of the map.
                    marker.dispatch_event("mouseover")
                    marker.dispatch_event("click")
            assert page.evaluate("window.ranCount") == 0, name
            assert page.locator("main [onerror], main [onload], main iframe, main [onfocus]").count() == 0, (
                name
            )
        page.goto(live_server.url + reverse("devices:camera-detail", args=[world.camera.pk]))
        page.goto(live_server.url + reverse("events:event-detail", args=[world.event.pk]))
        page.locator("input[type=search]").first.fill("ran")
        page.wait_for_timeout(500)
        assert page.evaluate("window.ranCount") == 0
        broken = [one for one in watched.complaints if "violation" in one or "Content Security Policy" in one]
    assert broken == []


def test_s21_the_judge_sees_each_kind() -> None:
    """A page that trusted text would be told: so that the walk is not empty."""
    seen = [payload for payload in PAYLOADS if Structure(f"<p title=x>{payload}</p>").bad]
    assert len(seen) >= 12
