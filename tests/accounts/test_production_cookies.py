"""Production binds its cookies to TLS and to this very host, by flag and by name; a trial without TLS still logs in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from portal.launcher.layout import ROOT
from tests.attacks.test_s46_demo_in_production import good  # noqa: F401

COOKIES = ("SESSION", "CSRF", "LANGUAGE")
CODE = """
import json, portal.settings.production as production
wanted = [f"{kind}_COOKIE_{fact}" for kind in ("SESSION", "CSRF", "LANGUAGE") for fact in ("NAME", "SECURE", "DOMAIN")]
print(json.dumps({name: getattr(production, name, None) for name in wanted}))
"""


def cookies(environment: dict[str, str]) -> dict[str, Any]:
    """What production's settings, loaded in a process of their own, say of the cookies."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VANTAGE_")}
    said = subprocess.run(
        [sys.executable, "-c", CODE], env={**kept, **environment}, cwd=ROOT, capture_output=True, check=True
    ).stdout
    found: dict[str, Any] = json.loads(said)
    return found


@pytest.mark.parametrize("cookie", COOKIES)
def test_browsers_take_them_over_tls_and_from_this_host_alone(good: dict[str, str], cookie: str) -> None:  # noqa: F811
    said = cookies(good)
    assert said[f"{cookie}_COOKIE_NAME"].startswith("__Host-")
    assert (said[f"{cookie}_COOKIE_SECURE"], said[f"{cookie}_COOKIE_DOMAIN"]) == (True, None)


def test_a_trial_without_tls_keeps_names_that_browsers_take(good: dict[str, str]) -> None:  # noqa: F811
    said = cookies({**good, "VANTAGE_SECURE": "0"})
    assert not [name for name in said.values() if str(name).startswith("__")]
    assert not any(said[f"{cookie}_COOKIE_SECURE"] for cookie in COOKIES)
