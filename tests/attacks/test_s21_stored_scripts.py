"""S21 and S22: scripts as names in a real browser, where scripts build the page: map, popups, lists, charts.

The pages are answered by a server of this test; the browser is Debian's. A payload that ran, or became an element,
or broke the policy, is told by the page itself. What the server writes is walked by test_s21_every_text.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import models
from django.urls import reverse

from tests.attacks import world as worlds
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
