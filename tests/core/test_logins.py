"""Tests and benches log in through a backend of the installation: a session of any other is nobody's."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.test import Client

from tests.bench.pipeline import session_cookie
from tests.support import factories

TESTS = Path(__file__).resolve().parents[1]


def test_nobody_names_a_backend_of_django() -> None:
    named = re.compile(r"""backend=|["']django\.contrib\.auth\.backends""")
    files = [path for path in TESTS.rglob("*.py") if path != Path(__file__)]
    assert len(files) > 100
    assert [path.name for path in files if named.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.django_db
def test_the_session_of_the_pipeline_bench_is_answered() -> None:
    client = Client()
    client.cookies["sessionid"] = session_cookie(SimpleNamespace(home=factories.organisation()))
    assert client.get("/api/v1/events").status_code == 200
