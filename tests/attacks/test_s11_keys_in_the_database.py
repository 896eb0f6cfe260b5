"""S11: a copy of the whole database holds neither an API key nor a signing secret."""

from __future__ import annotations

import base64

import pytest
from django.db import connection

from apps.openapi.services import rotate_secret, send_test
from tests.openapi import builders
from tests.support.receiver import Receiver


def _dump() -> str:
    """Every row of every table as text."""
    rows = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" t')
            rows += [row for (row,) in cursor.fetchall()]
    return "\n".join(rows)


@pytest.mark.django_db
def test_s11_no_key_and_no_secret_in_any_row(
    outbound_exact: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with Receiver() as receiver:
        outbound_exact.append(receiver.address)
        app = builders.app()
        key = builders.key(app, "events:read", "subscriptions:write")
        made = builders.subscription(app, receiver.url)
        new = rotate_secret(by=builders.SYSTEM, subscription=made.subscription)
        send_test(by=builders.SYSTEM, subscription=made.subscription)
    dump = _dump()
    assert key.key.prefix in dump, "the dump is of the right database"
    for text in (key.text, made.secret, new):
        secret = text.rpartition("_")[2] if text.startswith("whsec_") else text.split("_", 2)[2]
        for form in (text, secret, secret.encode().hex(), base64.b64encode(secret.encode()).decode()):
            assert form not in dump
            assert form not in caplog.text
    raw = base64.b64decode(new.removeprefix("whsec_"))
    assert raw.hex() not in dump
    assert key.text not in repr(key)
    assert made.secret not in repr(made)
