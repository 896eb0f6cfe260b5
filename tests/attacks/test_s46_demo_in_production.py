"""S46: nothing of a demo starts as production: weak or demo secrets, an open key file, demo switches."""

import base64
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from portal.launcher.layout import ROOT
from tests.launcher.support import output_of


@pytest.fixture
def good(tmp_path: Path) -> dict[str, str]:
    """An environment that production accepts."""
    key = tmp_path / "keys"
    key.write_text(f"site-1:{base64.b64encode(secrets.token_bytes(32)).decode()}\n")
    key.chmod(0o600)
    return {
        "DATABASE_URL": "postgresql://vantage:x@db.example/vantage",
        "REDIS_URL": "redis://:x@cache.example:6379/0",
        "VANTAGE_SECRET_KEY": secrets.token_urlsafe(64),
        "VANTAGE_KEY_FILE": str(key),
        "VANTAGE_DATA": str(tmp_path / "data"),
    }


def load(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Load production's settings in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VANTAGE_")}
    kept.pop("DATABASE_URL", None)
    kept.pop("REDIS_URL", None)
    code = "import portal.settings.production as s; print('DEBUG', s.DEBUG)"
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env={**kept, **environment}, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_s46_a_good_environment_starts(good: dict[str, str]) -> None:
    answer = load(good)
    assert (answer.returncode, answer.stdout.strip()) == (0, "DEBUG False"), answer.stderr


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"VANTAGE_SECRET_KEY": ""}, "VANTAGE_SECRET_KEY"),
        ({"VANTAGE_SECRET_KEY": "short"}, "VANTAGE_SECRET_KEY"),
        ({"VANTAGE_SECRET_KEY": "a" * 80}, "VANTAGE_SECRET_KEY"),
        ({"VANTAGE_SECRET_KEY": "vantage-demo-" + "x9Yb7Qw2" * 8}, "VANTAGE_SECRET_KEY"),
        ({"DATABASE_URL": ""}, "DATABASE_URL"),
        ({"REDIS_URL": ""}, "REDIS_URL"),
        ({"VANTAGE_KEY_FILE": ""}, "VANTAGE_KEY_FILE"),
        ({"VANTAGE_KEY_FILE": "/no/such/file"}, "VANTAGE_KEY_FILE"),
        ({"VANTAGE_DEMO": "1"}, "VANTAGE_DEMO"),
        ({"VANTAGE_DEBUG": "true"}, "VANTAGE_DEBUG"),
        ({"VANTAGE_OUTBOUND_EXACT": "127.0.0.1:9"}, "VANTAGE_OUTBOUND_EXACT"),
        ({"VANTAGE_SECOND_FACTOR": "optional"}, "VANTAGE_SECOND_FACTOR"),
    ],
)
def test_s46_each_demo_trait_is_refused_by_name(
    good: dict[str, str], change: dict[str, str], word: str
) -> None:
    answer = load({**good, **change})
    assert answer.returncode != 0
    assert word in answer.stderr.splitlines()[-1]


@pytest.mark.parametrize("content", ["demo-1:AAAA\n", "\ndemo-2:AAAA\n"])
def test_s46_a_demo_key_is_refused(good: dict[str, str], content: str) -> None:
    Path(good["VANTAGE_KEY_FILE"]).write_text(content)
    assert "demo key" in load(good).stderr


def test_s46_a_key_that_others_can_read_is_refused(good: dict[str, str]) -> None:
    Path(good["VANTAGE_KEY_FILE"]).chmod(0o644)
    assert "readable by others" in load(good).stderr


def test_s46_the_demo_does_not_start_where_production_is_declared(tmp_path: Path) -> None:
    environment = {"ENV": "production"}
    status, output = output_of("portal.launcher", "demo", "--data", tmp_path / "d", environment=environment)
    assert status == 1
    assert "ENV=production is set" in output
    assert not (tmp_path / "d").exists()


def test_s46_djangos_own_deployment_check_finds_nothing(good: dict[str, str]) -> None:
    """`manage.py check --deploy` in production's settings: warnings count as failures."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VANTAGE_")}
    environment = {**kept, **good, "DJANGO_SETTINGS_MODULE": "portal.settings.production"}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    answer = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert "no issues" in answer.stdout
