"""F38: 500 clients of one audience on the real server: p99 under 1 s, and every push is accounted for."""

from __future__ import annotations

import os
import time
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from apps.core import outbox
from apps.core.ids import uuid7
from apps.core.realtime import push as pushes
from tests.attacks.sockets import session_of
from tests.support import factories
from tests.support.browsers import Browsers
from tests.support.road import Road, address_of, claimed_broker, served_here

CLIENTS, ROUNDS, EACH = 500, 20, 10


@pytest.mark.slow_fault
@pytest.mark.django_db(transaction=True)
def test_f38_five_hundred_pages_hear_everything_within_a_second(tmp_path: Path) -> None:
    user = factories.user()
    topic = f"o:{user.organisation_id}"
    cookies = sessions(session_of(user), CLIENTS)
    with claimed_broker(os.environ["REDIS_URL"]) as broker, served_here(broker):
        road = Road(
            tmp_path, database=address_of(connection.settings_dict), broker=broker,
            data=Path(settings.VANTAGE_DATA), names=("web",),
        )  # fmt: skip
        with (
            road.start(),
            Browsers(port=road.port, path="/ws/live?deflate=1", cookies=cookies, origin=road.url) as crowd,
        ):
            crowd.wait_open(120)
            time.sleep(1.0)
            crowd.reset()
            for _round in range(ROUNDS):
                moment = time.time()
                for _number in range(EACH):
                    pushes.push("event.raised", uuid7(), {"t": round(moment, 4), "id": str(uuid7())}, [topic])
                outbox.relay_once()
                time.sleep(0.1)
            expected = CLIENTS * ROUNDS * EACH
            road.until(lambda: crowd.report()["events"] >= expected, 30, "every push at every page")
            time.sleep(0.5)
            found = crowd.report()
    assert found["events"] == expected, "no push is missing, none came twice"
    assert (found["gaps"], found["closed"]) == (0, 0)
    assert found["p99_ms"] < 1000


def sessions(first: str, count: int) -> list[str]:
    """As many sessions of the same person."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    content, found = dict(store(first).items()), [first]
    while len(found) < count:
        own = store()
        own.update(content)
        own.create()
        found.append(str(own.session_key))
    return found
