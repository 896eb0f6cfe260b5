"""S45: the demo's own PostgreSQL and Valkey are named by the doctor and refused by production."""

import os
from pathlib import Path

import pytest

from portal.launcher.errors import LauncherError
from portal.launcher.services import Services
from portal.launcher.up import refuse_embedded
from tests.launcher.support import data_with_space, output_of


def test_s45_the_doctor_names_the_embedded_versions(tmp_path: Path) -> None:
    _, output = output_of("portal.launcher", "doctor", "--data", tmp_path / "d")
    lines = [line for line in output.splitlines() if "`./vantage up` refuses it" in line]
    assert len(lines) == 2
    assert "PostgreSQL) 18" in lines[0]
    assert "Valkey server v=9" in lines[1]


def test_s45_production_refuses_them() -> None:
    with data_with_space() as data, Services(data, throwaway=True, given={}) as services:
        urls = services.urls()
        with pytest.raises(LauncherError, match="DATABASE_URL is an embedded PostgreSQL"):
            refuse_embedded(urls["DATABASE_URL"], urls["REDIS_URL"])
        key = data / "key"
        key.write_text("k")
        given = {**urls, "VANTAGE_SECRET_KEY": os.urandom(40).hex(), "VANTAGE_KEY_FILE": str(key)}
        status, output = output_of("portal.launcher", "up", "--data", data / "up", environment=given)
        assert status == 1
        assert "made for demo and tests" in output
        assert not (data / "up").exists()


def test_s45_the_embedded_valkey_alone_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Answer:
        def fetchone(self) -> tuple[None]:
            return (None,)

    class Connection:
        def __enter__(self) -> "Connection":
            return self

        def __exit__(self, *details: object) -> None:
            return None

        def execute(self, query: str) -> Answer:
            return Answer()

    monkeypatch.setattr("portal.launcher.up.psycopg.connect", lambda *a, **k: Connection())
    with data_with_space() as data:
        services = Services(data, throwaway=True, given={"DATABASE_URL": "postgresql://elsewhere/vantage"})
        with services, pytest.raises(LauncherError, match="REDIS_URL is an embedded Valkey"):
            refuse_embedded("postgresql://elsewhere/vantage", services.urls()["REDIS_URL"])
