"""S21: twenty payloads in every text that anybody can fill, on every page for every role, and in every export.

A page is rendered twice, with a harmless text and with the payloads in all columns at once: both must be made of the
same elements and attributes. The columns, forms and inputs are found by `typed_texts`; what scripts build of them
(map, popups, live list, charts) is looked at in a browser by test_s21_stored_scripts.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import time_machine
from django.contrib import admin
from django.db import transaction
from django.test import Client
from django.urls import reverse

from apps.accounts.permissions import principal_of_user
from apps.core import audit
from apps.core.spreadsheets import STARTS
from apps.devices.choices import LOOK_WORDS
from tests.attacks import classes, one_of_each, typed_texts
from tests.attacks import world as worlds
from tests.attacks.markup import Markup
from tests.attacks.test_s14_every_route import BOX, ROUTES, text_of, url_of
from tests.attacks.test_s21_stored_scripts import PAYLOADS
from tests.attacks.test_s48_exports import EXPORTS
from tests.attacks.world import World
from tests.support import factories
from tests.support.looking import state_purpose

pytestmark = pytest.mark.django_db
ADMINISTRATORS = ("operator", "system_admin", "security_admin", "audit_admin")
PARAMETERS = (
    "q",
    "type",
    "event",
    "camera",
    "organisation",
    "code",
    "since",
    "state",
    "algorithm",
    "message",
    "app",
)
#: Pages without an object; an export makes a job, and so the page of jobs another one: exports are tested below.
PAGES = tuple(key for key in classes.LOGIN if not key.startswith("api:") and key not in EXPORTS)
#: Columns that people fill and no page of the portal shows (they stand in the interface, in messages, or nowhere).
NOT_ON_PAGES: dict[str, str] = {
    **dict.fromkeys(["accounts.SavedFilter.name", "accounts.SavedFilter.query"], "no page of saved filters yet"),
    **dict.fromkeys(["accounts.User.email", "accounts.User.last_name"], "of Django, used by no page"),
    "devices.Camera.search_text": "searched, never shown",
    **dict.fromkeys(["devices.Camera.region_override_reason", "devices.Preset.name", "devices.RetentionRule.reason",
                     "dispatch.ComputeUnit.name"], "kept, not shown yet"),
    **dict.fromkeys(["devices.Stream.address", "openapi.Subscription.state_reason"], "for workers, not shown"),
}  # fmt: skip


@pytest.fixture
def world(settings: Any, tmp_path: Any) -> World:
    settings.VANTAGE_OUTBOUND_EXACT = [worlds.ENDPOINT]
    settings.VANTAGE_SECOND_FACTOR = "optional"
    settings.MEDIA_ROOT = tmp_path
    typed_texts.widen()
    made = worlds.build()
    made.objects["algorithm"] = made.version.algorithm
    made.objects["item"] = made.version.algorithm.items.get()
    made.objects["package"] = made.version.packages.get()
    made.objects["event_type"] = made.event.event_type
    for role in ADMINISTRATORS:
        made.users[role] = factories.user(made.camera.managing_organisation, (role,))
    one_of_each.add(made)
    made.log_in()
    return made


def routes(world: World) -> Iterator[tuple[str, str]]:
    """(who, address) of every page that shows these objects, also those of the Django admin."""
    for key in PAGES:
        yield "manager", f"{url_of(key, {})}?bbox={BOX}&box={BOX}"
    for key, about in classes.OBJECT.items():
        if not key.startswith("api:"):
            extra = f"?event={world.event.pk}" if "explain" in key else ""
            yield "manager", url_of(key, about.identifiers(world)) + extra
    for key, name in classes.SHARED.items():
        if not key.startswith("api:"):
            yield "operator", url_of(key, {"pk": getattr(world, name).pk})
    for key in classes.ROLE:
        parameters = {"pk": world.event_type.pk} if ROUTES[key].parameters else {}
        for who in ("operator", "audit_admin"):
            yield who, url_of(key, parameters) + ("?kind=capture" if "retention-edit" in key else "")
    for who in ADMINISTRATORS:
        yield who, "/devices/ledger/"
        yield who, "/profile/"
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = model._default_manager.first()
        for who in ADMINISTRATORS:
            yield who, reverse(f"{name}_changelist")
            if row is not None:
                yield who, reverse(f"{name}_change", args=[row.pk])


def told(world: World, text: str) -> None:
    """Records of the audit with the text in every part, as the platform writes them when it is somebody's name."""
    camera = world.camera
    camera.refresh_from_db()
    for who in ("manager", *ADMINISTRATORS):
        world.users[who].refresh_from_db()
        principal = principal_of_user(world.users[who])
        for action in (next(iter(LOOK_WORDS)), "camera.change"):
            audit.record(
                principal, action, camera, owner_id=camera.managing_organisation_id, words=text, case=text,
                reason=text, purpose="case", name=text,
            )  # fmt: skip


class Walk:
    """All pages once: what each is made of, and what it shows."""

    def __init__(self, world: World, addresses: list[tuple[str, str]]) -> None:
        self.parts: dict[tuple[str, str], list[tuple[str, ...]]] = {}
        self.bad: list[tuple[str, str]] = []
        self.broken: list[tuple[str, int]] = []
        self.text = ""
        clients = {who: world.client(who) for who in {who for who, _url in addresses}}
        for who, url in addresses:
            answer = clients[who].get(url)
            if answer.status_code >= 500:
                self.broken.append((url, answer.status_code))
            if answer.status_code != 200 or "html" not in answer.get("Content-Type", ""):
                continue
            text = text_of(answer)
            found = Markup(text)
            self.parts[who, url] = found.parts
            self.bad += [(url, one) for one in found.bad]
            self.text += text


def mark(number: int) -> str:
    return f"mk{number:03d}zz"


def first_difference(one: list[Any], other: list[Any]) -> Any:
    return next(
        (pair for pair in zip(one, other, strict=False) if pair[0] != pair[1]), (len(one), len(other))
    )


def compared(calm: Walk, hostile: Walk) -> list[tuple[Any, Any]]:
    """Pages that are made of something else than before."""
    assert calm.parts.keys() == hostile.parts.keys()
    return [
        (page, first_difference(parts, hostile.parts[page]))
        for page, parts in calm.parts.items()
        if parts != hostile.parts[page]
    ]


@contextmanager
def stored(world: World, text_of_column: Callable[[str], str], text: str) -> Iterator[dict[str, int]]:
    """The world with a text in every column and in the audit; undone afterwards, as walking leaves traces too.

    The clock stands: a page tells who was silent for long, and a walk may take long.
    """
    with transaction.atomic(), time_machine.travel(world.event.time, tick=False):
        counts = typed_texts.write(text_of_column)
        told(world, text)
        yield counts
        transaction.set_rollback(True)


def test_s21_no_page_takes_any_text_for_markup(world: World) -> None:
    columns = sorted({*typed_texts.text_columns(), *typed_texts.json_columns()})
    numbers = {name: mark(number) for number, name in enumerate(columns)}
    with stored(world, numbers.__getitem__, "harmless") as counts:
        calm = Walk(world, list(routes(world)))
    assert set(typed_texts.text_columns()) == set(counts), "a table has no row: add one to one_of_each"
    assert calm.broken == []
    assert len(calm.parts) > 120
    hidden = {name for name in typed_texts.text_columns() if numbers[name] not in calm.text}
    assert hidden <= set(NOT_ON_PAGES), "each text is on a page, or NOT_ON_PAGES says where it is"
    for text in (" ".join(PAYLOADS), "javascript:ran()"):
        with stored(world, lambda _name, text=text: text, text):
            hostile = Walk(world, list(calm.parts))  # those that are pages, and for whom
        assert (hostile.broken, hostile.bad) == ([], [])
        assert compared(calm, hostile) == []
        assert "ran()" in hostile.text


def test_s21_the_walk_would_see_each_payload() -> None:
    """Written without escaping, every payload but the templates' own changes the page, in text or in an attribute."""
    unseen = []
    for payload in PAYLOADS:
        pages = (
            f"<p title='a'>{payload}</p>", f'<p title="{payload}">a</p>', f"<p title='{payload}'>a</p>",
            f'<a href="{payload}">a</a>', f"<title>{payload}</title>", f"<textarea>{payload}</textarea>",
        )  # fmt: skip
        calm = [Markup(page.replace(payload, "x")).parts for page in pages]
        found = [Markup(page) for page in pages]
        if [one.parts for one in found] == calm and not any(one.bad for one in found):
            unseen.append(payload)
    assert unseen == ["${ran()}"], (
        "that one is no markup anywhere: it asks for a template language in the page"
    )


def test_s21_every_input_of_forms_and_interface_goes_where_it_is_looked_for() -> None:
    covered = {(name.split(".")[0], name.split(".")[2]) for name in typed_texts.text_columns()}
    inputs = list(typed_texts.typed_inputs())
    unknown = [
        where
        for room, name, where in inputs
        if (room, name) not in covered and where not in typed_texts.ELSEWHERE
    ]
    assert unknown == [], "say in typed_texts.ELSEWHERE where this input goes"
    assert len(inputs) > 40
    stale = set(typed_texts.ELSEWHERE) - {where for _room, _name, where in inputs}
    assert stale == set()
    columns = {*typed_texts.text_columns(), "core.AuditRecord.detail"}
    named = [one for one in typed_texts.ELSEWHERE.values() if re.fullmatch(r"\w+\.\w+\.\w+", one)]
    assert [one for one in named if one not in columns] == []


def test_s21_what_views_read_past_their_forms_is_covered_too() -> None:
    """`request.POST.get("…")` in a view: a column of its room, or a word that steers."""
    steering = {"do", "state", "confirm", "confirmed", "active", "verdict", "mark", "listed", "decision", "transport",
                "next", "stream_url", "cameras"}  # fmt: skip
    columns = {name.rpartition(".")[2] for name in typed_texts.text_columns()}
    root = worlds.Path(__file__).resolve().parents[2] / "apps"
    found = {
        name
        for path in root.rglob("*.py")
        if "views" in str(path.relative_to(root))
        for name in re.findall(r'request\.POST\.get(?:list)?\(\s*"(\w+)"', path.read_text(encoding="utf-8"))
    }
    assert {"note", "opinion"} <= found
    assert found - columns - steering - {"reason", "selected"} == set()


def test_s21_a_search_shown_back_is_text(world: World) -> None:
    """Parameters of addresses that pages repeat: searches, filters, chips."""
    from urllib.parse import urlencode

    def addresses(text: str) -> list[tuple[str, str]]:
        query = urlencode(dict.fromkeys(PARAMETERS, text))
        return [("manager", f"{url_of(key, {})}?{query}") for key in PAGES] + [
            ("audit_admin", f"/audit/?{query}")
        ]

    short = "'\"><img src=x onerror=ran()></title></textarea><svg onload=ran()>"
    for text in (short, " ".join(PAYLOADS)):  # some fields take no more than a hundred characters
        harmless = "mk000zz".ljust(len(text), "x")
        with time_machine.travel(world.event.time, tick=False):
            calm, hostile = Walk(world, addresses(harmless)), Walk(world, addresses(text))
        assert (calm.broken, hostile.broken, hostile.bad) == ([], [], [])
        assert harmless in calm.text
        before, after = (by_path(walk) for walk in (calm, hostile))
        assert before.keys() == after.keys()
        assert [(path, first_difference(parts, after[path])) for path, parts in before.items()
                if parts != after[path]] == []  # fmt: skip


def by_path(walk: Walk) -> dict[str, list[tuple[str, ...]]]:
    """What each page is made of, whatever stood behind the question mark."""
    return {url.partition("?")[0]: parts for (_who, url), parts in walk.parts.items()}


def test_s21_the_interface_answers_json_whatever_is_stored(world: World) -> None:
    text = " ".join(PAYLOADS)
    typed_texts.write(lambda _name: text)
    seen = 0
    for key in (*classes.LOGIN, *classes.OBJECT):
        if not key.startswith("api:") or "docs" in key or "picture" in key:
            continue
        about = classes.OBJECT.get(key)
        answer = world.client("manager").get(
            url_of(key, about.identifiers(world) if about else {}) + f"?bbox={BOX}&event={world.event.pk}"
        )
        if answer.status_code != 200:
            continue
        seen += "ran()" in text_of(answer)
        assert answer["Content-Type"].partition(";")[0] in {"application/json", "application/problem+json"}, (
            key
        )
        assert answer["X-Content-Type-Options"] == "nosniff", key
        answer.json()
    assert seen >= 12


def export_rows(client: Client, key: str) -> list[list[str]]:
    """The cells of an export, which is a file of text for saving and nothing else."""
    answer = client.get(url_of(key, {}))
    assert answer.status_code == 200, key
    assert answer["Content-Type"].startswith("text/csv")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("attachment")
    return list(csv.reader(io.StringIO(text_of(answer).removeprefix("\ufeff"))))


FORMULAS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "＝1",
    "＋1",
    "－1",
    "＠1",
    " =1",
    "\u3000=1",
    "=cmd|' /C x'!A0",
)


@pytest.mark.parametrize("key", sorted(EXPORTS))
def test_s21_exports_hold_the_text_and_no_formula(world: World, key: str, settings: Any) -> None:
    settings.VANTAGE_EXPORT_ROWS = 1_000_000
    who = "audit_admin" if "ledger" in key else "manager"
    client = state_purpose(world.client(who))
    held = set()
    for text in (*PAYLOADS, *FORMULAS):
        typed_texts.write(lambda _name, text=text: text)
        told(world, text)
        rows = export_rows(client, key)
        cells = [cell for row in rows for cell in row]
        assert [
            cell for cell in cells if cell.strip("\ufeff\u200b \u00a0\u3000")[:1] in STARTS and cell[:1]
        ] == [], text
        assert len({len(row) for row in rows}) == 1, "no text makes a column or a row"
        held |= {text for cell in cells if text in cell}
    assert held >= set(PAYLOADS)
