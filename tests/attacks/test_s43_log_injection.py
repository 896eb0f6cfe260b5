"""S43: whatever is logged stays one line of JSON: no forged line, no terminal sequence, no reversed text."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.logs import JsonFormatter, SecretFilter
from apps.core.models import AuditRecord
from tests.support import factories

FORGED = '{"at":"2026-01-01T00:00:00","level":"info","logger":"audit","message":"all is well"}'
ATTACKS = [
    f"x\n{FORGED}", f"x\r\n{FORGED}", f"x\r{FORGED}", f"x\u2028{FORGED}", f"x\u0085{FORGED}", f"x\x0b{FORGED}",
    "\x1b[2J\x1b[1;1Hclean", "\x9b31mred", "\x08\x08\x08\x08gone", "\x1b]0;title\x07", "\u202egnp.exe",
    '","level":"info","x":"', "%(message)s %s %d {0}", "\x00nul", "\ud800", "${jndi:ldap://x}",
]  # fmt: skip
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200e\u200f]")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(SecretFilter())
    handler.setFormatter(JsonFormatter())
    root, before = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield out
    root.removeHandler(handler)
    root.setLevel(before)


def lines_of(out: io.StringIO) -> list[dict[str, Any]]:
    """Every line is one object, of printable characters alone."""
    found = []
    for line in out.getvalue().split("\n")[:-1]:
        assert not CONTROL.search(line), repr(line)
        found.append(json.loads(line))
    return found


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("where", ["message", "argument", "extra", "error", "logger"])
def test_s43_one_call_is_one_line(attack: str, where: str, log: io.StringIO) -> None:
    logger = logging.getLogger(f"a.{attack}" if where == "logger" else "a")
    if where == "message":
        logger.warning(attack.replace("%", "%%"))
    elif where == "argument":
        logger.warning("name %s", attack)
    elif where == "extra":
        logger.warning("x", extra={"camera": attack})
    elif where == "error":
        try:
            raise ValueError(attack)
        except ValueError:
            logger.exception("failed")
    else:
        logger.warning("x")
    (line,) = lines_of(log)
    assert line["level"] in {"warning", "error"}
    assert line["logger"] != "audit"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(text=st.text())
def test_s43_any_text_is_one_line(text: str, log: io.StringIO) -> None:
    log.seek(0)
    log.truncate()
    logging.getLogger("a").warning("%s", text)
    assert len(lines_of(log)) == 1


@pytest.mark.django_db
def test_s43_a_request_writes_no_line_of_its_own(log: io.StringIO, settings: Any) -> None:
    settings.AXES_ENABLED = True
    factories.user(roles=("audit_admin",))
    client = Client(raise_request_exception=False)
    for attack in ATTACKS[:12]:
        client.post("/login/", {"username": attack, "password": "x"}, headers={"User-Agent": attack})
        client.get(
            "/nothing/" + attack.replace("\n", "%0a").replace("\r", "%0d"), headers={"Referer": attack}
        )
        client.get(
            "/api/v1/cameras", headers={"Authorization": f"Bearer {attack}", "X-Forwarded-For": attack}
        )
    assert [line for line in lines_of(log) if line["message"] == "all is well"] == []
    names = AuditRecord.objects.filter(action="session.login").values_list("object_name", flat=True)
    assert not any(CONTROL.search(name.replace("\n", "")) for name in names)
