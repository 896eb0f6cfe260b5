"""S14: the id of another bureau on every route answers like an id that is nobody's.

The routes come from the URL conf; a route that no table of `classes` names fails the first test.
Clients: nobody, another bureau, the bureau whose grant is over, the bureau with a grant, the managing bureau.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client, override_settings
from django.urls import reverse

from apps.core.models import AuditRecord
from tests.attacks import classes
from tests.attacks import world as worlds
from tests.attacks.routes import METHODS, PAGE_METHODS, Route, admin_routes, all_routes, socket_routes
from tests.attacks.world import World
from tests.support.looking import chain_notes

ROUTES = {route.key: route for route in all_routes()}
FOREIGN = ("other", "expired")
IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TOKEN = re.compile(r"\b[A-Za-z0-9]{64}\b")
BOX = "-180,-90,180,90"


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """One world for the whole file; each test undoes what it did to it."""
    media: Path = tmp_path_factory.mktemp("media")
    settings = override_settings(VANTAGE_OUTBOUND_EXACT=[worlds.ENDPOINT], MEDIA_ROOT=media)
    with django_db_blocker.unblock(), settings, transaction.atomic():
        made = worlds.build()
        algorithm = made.version.algorithm
        made.objects |= {
            "algorithm": algorithm, "item": algorithm.items.get(), "package": made.version.packages.get(),
            "event_type": made.event.event_type,
        }  # fmt: skip
        made.log_in()
        yield made
        transaction.set_rollback(True)


@pytest.fixture
def undone(world: World, django_db_blocker: Any) -> Iterator[World]:
    """The world, inside a savepoint that is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield world
        transaction.set_rollback(True)


def url_of(key: str, parameters: dict[str, Any]) -> str:
    """The address of a route; names of the interface are not namespaced, so pages with one win only by key."""
    route = ROUTES[key]
    if key.startswith("api:"):
        return "/" + _filled(route.pattern, parameters)
    return reverse(route.name, kwargs=parameters)


def _filled(pattern: str, parameters: dict[str, Any]) -> str:
    text = pattern.replace("^", "").replace("$", "").replace("\\", "")
    for name, value in parameters.items():
        text = re.sub(rf"\(\?P<{name}>(?:[^()]|\([^()]*\))*\)", str(value), text)
    return text


def ask(client: Client, method: str, url: str, data: dict[str, Any] | None = None) -> Any:
    """One request; the interface speaks JSON, pages send forms."""
    if method == "get":
        return client.get(url)
    if url.startswith("/api/"):
        return client.generic(method.upper(), url, _json(data), content_type="application/json")
    if method == "post":
        return client.post(url, data or {})
    body = urlencode(data or {})
    return client.generic(method.upper(), url, body, content_type="application/x-www-form-urlencoded")


def _json(data: dict[str, Any] | None) -> str:
    import json

    return json.dumps(data or {})


def text_of(answer: Any) -> str:
    """The whole body."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return body.decode("utf-8", "replace")


def plain(answer: Any) -> str:
    """The body without what differs between any two answers: ids, error ids, CSRF tokens."""
    text = text_of(answer).replace(answer.headers.get("X-Request-Id", "\0"), "ERROR")
    return TOKEN.sub("TOKEN", IDENTIFIER.sub("ID", text))


def is_turned_away(answer: Any, url: str) -> bool:
    """Nobody is sent to the login page, or told to authenticate by the interface."""
    if url.startswith("/api/") and not url.startswith("/api/v1/docs"):
        return bool(answer.status_code == 401)
    return bool(answer.status_code == 302 and answer.headers["Location"].startswith("/login/"))


def rows_of(world: World) -> dict[str, Any]:
    """The state of every object of the world, to see that nothing was changed."""
    return {
        name: type(row)._base_manager.filter(pk=row.pk).values().first()
        for name, row in world.objects.items()
    }


def test_s14_every_route_is_classified_once() -> None:
    tables = [classes.PUBLIC, classes.LOGIN, classes.ROLE, classes.SHARED, classes.OBJECT, classes.MEDIA]
    counted = Counter(key for table in tables for key in table)
    assert [key for key, count in counted.items() if count > 1] == []
    assert sorted(set(ROUTES) - set(counted)) == [], "classify these routes in tests/attacks/classes.py"
    assert sorted(set(counted) - set(ROUTES)) == [], "these routes are gone: take them out of the tables"
    assert len(ROUTES) == len(all_routes()), "two routes share a name"


def test_s14_every_socket_is_classified() -> None:
    assert set(socket_routes()) == set(classes.SOCKETS)


def test_s14_no_route_with_an_object_stands_among_those_without() -> None:
    without = classes.PUBLIC | set(classes.LOGIN)
    assert [key for key in without if ROUTES[key].parameters] == []


@pytest.mark.parametrize("key", sorted(classes.OBJECT))
def test_s14_an_object_of_another_bureau_is_like_none(key: str, undone: World) -> None:
    about = classes.OBJECT[key]
    query = f"?{urlencode(about.query(undone))}" if about.query else ""
    theirs, none = (url_of(key, ids) + query for ids in (about.identifiers(undone), about.strange(undone)))
    before = rows_of(undone)
    answered = 0
    for method in ROUTES[key].methods:
        answer = ask(undone.client("nobody"), method, theirs, about.data)
        assert is_turned_away(answer, theirs), (method, answer.status_code)
        for who in FOREIGN:
            client = undone.client(who)
            answer, random = (ask(client, method, url, about.data) for url in (theirs, none))
            assert answer.status_code == random.status_code, (who, method)
            if answer.status_code == 405:
                continue
            answered += 1
            assert answer.status_code == (200 if about.empty else 404), (who, method)
            assert plain(answer) == plain(random), (who, method)
    assert answered
    assert rows_of(undone) == before


@pytest.mark.parametrize("key", sorted(classes.OBJECT))
@pytest.mark.parametrize("who", ["granted", "manager"])
def test_s14_an_object_answers_those_who_may(key: str, who: str, undone: World) -> None:
    about = classes.OBJECT[key]
    query = f"?{urlencode(about.query(undone))}" if about.query else ""
    url = url_of(key, about.identifiers(undone)) + query
    client = undone.client(who)
    for method in ROUTES[key].methods:
        with transaction.atomic():
            status = ask(client, method, url, about.data).status_code
            transaction.set_rollback(True)
        if status == 405:
            continue
        if who == "granted" and not about.granted:
            assert status == (200 if about.empty else 404), method
        elif method == "get":
            assert status in {200, 302}, method
        else:
            assert status < 500, method
            assert status not in {401, 404}, method


@pytest.mark.parametrize("key", sorted(classes.LOGIN))
def test_s14_a_list_holds_nothing_of_another_bureau(key: str, undone: World) -> None:
    url = url_of(key, {}) + f"?bbox={BOX}&box={BOX}&q={worlds.SECRET_NAME}"
    for method in ROUTES[key].methods:
        with override_settings(), transaction.atomic():
            nobody = undone.client("nobody")
            nobody.defaults["REMOTE_ADDR"] = "10.9.8.7"
            answer = ask(nobody, method, url)
            hidden = key == "metrics" and answer.status_code == 404
            assert hidden or answer.status_code == 405 or is_turned_away(answer, url), method
            for who in FOREIGN:
                answer = ask(undone.client(who), method, url)
                assert answer.status_code < 500, (who, method)
                text = text_of(answer).replace(
                    worlds.SECRET_NAME, "", text_of(answer).count(f'"{worlds.SECRET_NAME}"')
                )
                shown = [trace for trace in undone.traces_of_it()[1:] if trace in text]
                assert shown == [], (who, method)
            transaction.set_rollback(True)
    if shown_object := classes.LOGIN[key]:
        answer = undone.client("manager").get(url_of(key, {}) + f"?bbox={BOX}&box={BOX}")
        assert answer.status_code == 200
        assert str(getattr(undone, shown_object).pk) in text_of(answer), f"the check of {key} is empty"


@pytest.mark.parametrize("key", sorted(classes.ROLE))
def test_s14_a_role_page_is_refused_to_others(key: str, undone: World) -> None:
    parameters = {"pk": undone.event_type.pk} if "pk" in ROUTES[key].parameters else {}
    url = url_of(key, parameters)
    for method in ROUTES[key].methods:
        answer = ask(undone.client("nobody"), method, url)
        assert answer.status_code == 405 or is_turned_away(answer, url), method
        for who in (*FOREIGN, "granted", "manager"):
            assert ask(undone.client(who), method, url).status_code in {403, 404, 405}, (who, method)


@pytest.mark.parametrize("key", sorted(classes.SHARED))
def test_s14_the_warehouse_is_for_users_and_changed_by_roles(key: str, undone: World) -> None:
    theirs = url_of(key, {"pk": getattr(undone, classes.SHARED[key]).pk})
    none = url_of(key, {"pk": uuid4()})
    before = rows_of(undone)
    officer = undone.client("other")
    undone.users["other"].role_bindings.exclude(role="bureau_officer").delete()
    for method in ROUTES[key].methods:
        answer = ask(undone.client("nobody"), method, theirs)
        assert answer.status_code == 405 or is_turned_away(answer, theirs), method
        status = ask(officer, method, theirs).status_code
        assert status in {200, 403, 405}, method
        assert ask(officer, method, none).status_code in {404, 405}, method
    assert rows_of(undone) == before


def test_s14_the_django_admin_is_for_staff_only(undone: World) -> None:
    seen = 0
    for route in admin_routes():
        path = "/" + re.sub(r"<[^>]+>", str(uuid4()), route.pattern).replace("(?P", "")
        if (
            route.name in {"admin-login", "admin:login", "admin:logout"}
            or "^" in path
            or path.endswith("/jsi18n/")
        ):
            continue
        for who in ("nobody", "manager"):
            for method in PAGE_METHODS:
                answer = ask(undone.client(who), method, path)
                turned = answer.status_code == 302 and "/manage/login/" in answer.headers["Location"]
                assert turned or answer.status_code in {403, 404, 405}, (route.pattern, who, method)
                seen += turned
    assert seen > 200


def test_s14_a_nested_id_of_another_bureau_is_like_none(undone: World) -> None:
    """One's own event with a review of bureau A, and the other way round."""
    from tests.events import factories as events
    from tests.support import factories

    home = undone.users["other"].organisation
    own = events.event(events.execution(factories.camera(home)), now=True)
    client = undone.client("other")
    answers = [
        client.post(f"/api/v1/events/{pk}/reviews/{review}/undo")
        for pk, review in ((own.pk, undone.review.pk), (own.pk, uuid4()), (undone.event.pk, undone.review.pk))
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert plain(answers[0]) == plain(answers[1])


def test_s14_choosing_foreign_deliveries_for_resending_finds_none(undone: World) -> None:
    for url in (reverse("openapi:delivery-resend-preview"), reverse("openapi:delivery-resend-chosen")):
        client = undone.client("other")
        chosen, random = (client.post(url, {"selected": str(pk)}) for pk in (undone.delivery.pk, uuid4()))
        assert (chosen.status_code, plain(chosen)) == (random.status_code, plain(random))
        assert str(undone.delivery.pk) not in text_of(chosen)
    undone.delivery.refresh_from_db()
    assert undone.delivery.state == "queued"


def test_s14_a_look_at_a_picture_is_in_the_ledger_of_its_owner(undone: World) -> None:
    undone.client("granted").get(url_of("devices:camera-snapshot", {"pk": undone.camera.pk}))
    chain_notes()
    record = AuditRecord.objects.filter(action="picture.view").latest("seq")
    assert record.owner_id == str(undone.camera.managing_organisation_id)
    assert record.actor_id == str(undone.users["granted"].pk)


def test_s15_filtering_by_a_foreign_id_is_like_filtering_by_none(undone: World) -> None:
    """Otherwise a filter tells that an object exists."""
    told = []
    names = ("camera", "organisation", "event", "subscription", "app", "task", "scene", "plan", "algorithm",
             "type", "event_type", "execution", "version", "strategy", "message")  # fmt: skip
    client = undone.client("other")
    for key, shown in classes.LOGIN.items():
        if not shown:
            continue
        for name in names:
            row = undone.objects.get(name)
            if row is None or name in {"algorithm", "event_type", "version", "type"}:
                continue
            own, random = (
                client.get(f"{url_of(key, {})}?bbox={BOX}&box={BOX}&{name}={pk}") for pk in (row.pk, uuid4())
            )
            if (own.status_code, plain(own)) != (random.status_code, plain(random)):
                told.append((key, name, own.status_code, random.status_code))
    assert told == []


def test_s14_methods_that_no_table_names_do_not_exist() -> None:
    """A viewset's methods are all walked: the interface has no catch-all."""
    for key, route in ROUTES.items():
        if key.startswith("api:") and isinstance(route, Route):
            assert set(route.methods) <= set(METHODS), key
