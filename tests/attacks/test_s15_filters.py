"""S15: no parameter of any list, map, search, count or export reaches a foreign row, nor tells that there is one.

Hypothesis makes the parameters; beside the answers every statement is read: one on a table of bureaus must name the
tenant (whose path, whose grant, whose user), else it read rows of everybody.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, quote_plus, urlencode
from uuid import UUID

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apps.core import clock
from tests.attacks import classes
from tests.attacks import world as worlds
from tests.attacks.test_s14_every_route import ROUTES, plain, text_of, undone, url_of, world  # noqa: F401
from tests.attacks.world import World

KEYS = sorted(key for key in classes.LOGIN if "get" in ROUTES[key].methods and key != "metrics")
#: Sums over the whole site for those who run it: no row of a bureau is shown, so none names the tenant.
SUMS = {"dispatch:chain"}
#: Names of the filters, of what frameworks know, and of what they must not know.
NAMES = (
    "q", "search", "camera", "organisation", "event", "subscription", "app", "task", "scene", "plan", "strategy",
    "execution", "message", "region", "state", "type", "level", "since", "until", "open", "box", "bbox", "zoom",
    "ordering", "order_by", "expand", "fields", "include", "limit", "offset", "page", "cursor", "after", "before",
    "count", "format", "id", "pk", "id__in", "camera__name", "camera__managing_organisation", "organisation__path",
    "organisation_id", "managing_organisation", "owner", "user", "_connector", "__class__", "all", "scope",
    "columns", "preset", "reviewer", "algorithm", "version", "sharing_class", "part",
)  # fmt: skip
ODD = (
    "", "*", "%", "_", "'", '"', "\\", ",", "-1", "0", "1e309", "null", "true", "-id", "camera__name", "OR 1=1", "[]",
    "{}", "\u202e", "2026-01-01T00:00:00Z", "-180,-90,180,90", "999999999999999999999", "../..", "urgent", "all",
)  # fmt: skip
FOREIGN = (
    "camera",
    "event",
    "subscription",
    "app",
    "task",
    "scene",
    "plan",
    "strategy",
    "execution",
    "capture",
)
#: Tables whose rows belong to bureaus.
TENANT = re.compile(
    r'(?:FROM|JOIN) "(devices_(?:camera|capture|stream|preset|healthfinding|cameraaccess)'
    r"|events_(?:event|rawevent|review)"
    r"|analysis_(?:analysistask|analysisunit|scene|scenerule|captureslot|plan|execution)"
    r"|strategies_(?:strategy|strategybinding|trace)|openapi_(?:app|apikey|subscription|delivery|attempt)"
    r'|accounts_(?:user|job|notification|grant|savedfilter))"'
)
PREDICATE = re.compile(r'"path"(?:::text)? LIKE|"(?:principal_id|grantee_id|user_id|organisations)"')


def values(world: World) -> dict[str, tuple[str, str]]:  # noqa: F811
    """By name: a value of bureau A, and one like it that is nobody's."""
    found = {name: (str(getattr(world, name).pk), str(UUID(int=number + 1)))
             for number, name in enumerate(FOREIGN)}  # fmt: skip
    home = world.camera.managing_organisation
    found["name"] = (worlds.SECRET_NAME, "乙" * len(worlds.SECRET_NAME))
    found["code"] = (home.code, "org-0")
    found["path"] = (home.path, "ZZZZ")
    return found


parameters = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.one_of(
            st.sampled_from([f"@{name}" for name in (*FOREIGN, "name", "code", "path")]),
            st.sampled_from(ODD),
            st.text(max_size=12),
        ),
    ),
    max_size=4,
)


def filled(chosen: list[tuple[str, str]], known: dict[str, tuple[str, str]], which: int) -> str:
    pairs = [
        (name, known[one[1:]][which] if one[:1] == "@" and one[1:] in known else one) for name, one in chosen
    ]
    return urlencode(pairs, errors="replace")


def without_echo(answer: Any, known: dict[str, tuple[str, str]]) -> str:
    """The body without what was asked for, in each way of writing it."""
    text = plain(answer)
    for pair in known.values():
        for value in pair:
            for form in (value, quote(value), quote_plus(value), escape(value)):
                text = text.replace(str(form), "VALUE")
    return text


def untold(statements: list[dict[str, str]], own: set[str]) -> list[str]:
    """Statements that read a bureau's table without naming the tenant, nor one's own rows."""
    return [
        one["sql"][:2000]
        for one in statements
        if TENANT.search(one["sql"])
        and not PREDICATE.search(one["sql"])
        and not any(mark in one["sql"] for mark in own)
    ]


@settings(
    max_examples=60, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(key=st.sampled_from(KEYS), chosen=parameters, who=st.sampled_from(["other", "expired"]))
def test_s15_no_parameter_reaches_a_foreign_row(
    undone: World,  # noqa: F811
    key: str,
    chosen: list[tuple[str, str]],
    who: str,
) -> None:
    known, user = values(undone), undone.users[who]
    own = {str(user.pk), user.pk.hex, str(user.organisation_id), user.organisation_id.hex}
    still = time_machine.travel(clock.now(), tick=False)  # pages say how old things are
    with still, transaction.atomic(), CaptureQueriesContext(connection) as spy:
        client = undone.client(who)
        theirs, none = (client.get(f"{url_of(key, {})}?{filled(chosen, known, which)}") for which in (0, 1))
        told, control = without_echo(theirs, known), without_echo(none, known)
        transaction.set_rollback(True)
    assert theirs.status_code < 500
    assert theirs.status_code == none.status_code
    assert told == control
    ids = undone.traces_of_it()[1:]
    asked = {known[one[1:]][0] for _name, one in chosen if one[:1] == "@" and one[1:] in known}
    assert [one for one in ids if one in text_of(theirs) and one not in asked] == []
    assert key in SUMS or untold(spy.captured_queries, own) == []


@pytest.mark.parametrize("key", [key for key in KEYS if classes.LOGIN[key]])
def test_s15_the_spy_sees_the_statement_of_each_list(key: str, undone: World) -> None:  # noqa: F811
    """So that the check above is not empty: the list reads a bureau's table, and names the tenant."""
    with CaptureQueriesContext(connection) as spy:
        undone.client("manager").get(url_of(key, {}) + "?bbox=-180,-90,180,90&box=-180,-90,180,90")
    sql = [one["sql"] for one in spy.captured_queries if TENANT.search(one["sql"])]
    assert any(PREDICATE.search(one) for one in sql), key
