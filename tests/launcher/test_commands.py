"""The commands as a user meets them: what they refuse, what they print."""

import argparse
import json
import socket
import stat
import subprocess
from pathlib import Path

import defusedxml.ElementTree
import pytest

from portal.launcher import bench, check, doctor
from portal.launcher.__main__ import split_arguments
from portal.launcher.accounts import account_lines
from portal.launcher.bench import as_row, report_lines
from portal.launcher.checks import Outcome, Step, all_steps
from portal.launcher.checks.artefacts import compare
from portal.launcher.demo import forget
from portal.launcher.diagnosis.service_parts import address
from portal.launcher.errors import LauncherError
from portal.launcher.firstevent import time_floor
from portal.launcher.layout import data_folder, remember_environment, remembered_environment
from portal.launcher.ports import free_port, is_free
from portal.launcher.services import Services
from tests.bench import _flame
from tests.launcher.support import data_with_space, output_of


def test_demo_on_a_taken_port_says_so_before_anything_starts() -> None:
    with data_with_space() as data, socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        status, output = output_of("portal.launcher", "demo", "--port", str(port), "--data", data)
        assert status == 1
        assert output.splitlines() == [
            f"vantage: port {port} on 127.0.0.1 is taken by another program; stop it, or choose: --port {port + 1}"
        ]
        assert sorted(path.name for path in data.iterdir()) == [".vantage-data", "launcher.lock"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["demo", "--media", "/no/such/folder"], "is not a folder"),
        (["demo", "--port", "none"], "invalid int value"),
        (["bench", "no-such-bench", "--json"], "there is no bench 'no-such-bench'"),
        (["bench", "gate", "--flame", "gate.svg"], "bench gate draws no flame graph"),
        (["bench", "all", "--flame", "all.svg"], "a flame graph is of one bench"),
        (["check", "--only", "nothing"], "there is no step nothing"),
        (["flight"], "invalid choice"),
        ([], "usage: ./vantage"),
    ],
)
def test_a_wrong_word_gets_a_message(arguments: list[str], message: str, tmp_path: Path) -> None:
    own = {"VANTAGE_DATA": str(tmp_path / "d")}
    status, output = output_of("portal.launcher", *arguments, environment=own)
    assert status != 0
    assert message in output
    assert "Traceback" not in output


def test_up_names_what_is_missing_and_starts_nothing(tmp_path: Path) -> None:
    status, output = output_of("portal.launcher", "up", "--data", tmp_path / "d")
    assert status == 1
    names = ("DATABASE_URL", "REDIS_URL", "VANTAGE_SECRET_KEY", "VANTAGE_KEY_FILE")
    assert [name for name in names if f"{name}=" in output] == list(names)
    assert not (tmp_path / "d").exists()


def test_doctor_json_has_a_line_that_mends_everything_missing(tmp_path: Path) -> None:
    status, output = output_of("portal.launcher", "doctor", "--json", "--data", tmp_path / "the data")
    report = json.loads(output)
    assert status == (0 if report["ok"] else 1)
    names = {finding["name"] for finding in report["findings"]}
    parts = {
        "python",
        "lock",
        "video decoding",
        "inference",
        "postgresql",
        "redis",
        "node",
        "disk",
        "port",
        "gpu",
    }
    assert parts <= names
    assert {finding["state"] for finding in report["findings"]} <= {"ok", "optional", "missing"}
    assert [f for f in report["findings"] if f["state"] == "missing" and not f["mend"]] == []


def test_doctor_never_shows_a_password(tmp_path: Path) -> None:
    urls = {
        "DATABASE_URL": f"postgresql://u:hidden-word@127.0.0.1:{free_port()}/x",
        "REDIS_URL": f"redis://:hidden-word@127.0.0.1:{free_port()}/0",
    }
    status, output = output_of("portal.launcher", "doctor", "--data", tmp_path / "d", environment=urls)
    assert status == 1
    assert "start that server" in output
    assert "hidden-word" not in output


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p@db.example:5433/x", "db.example:5433"),
        ("redis://:secret@cache", "cache:default port"),
        ("postgresql:///x?host=/run", "local socket:default port"),
    ],
)
def test_address_is_host_and_port(url: str, expected: str) -> None:
    assert address(url) == expected


def test_every_finding_has_a_sign() -> None:
    assert set(doctor.SIGNS) == {"ok", "optional", "missing"}


def test_check_reports_every_step_and_fails_if_one_did(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = [
        Step("good", "", lambda: Outcome("ok")),
        Step("absent", "", lambda: Outcome("skipped", "no such thing here")),
        Step("bad", "", lambda: Outcome("failed", "line 1\nline 2", "mend it")),
        Step("last", "", lambda: Outcome("ok")),
    ]
    monkeypatch.setattr(check, "all_steps", lambda: steps)
    options = type("Options", (), {"only": None, "list": False, "json": True})()
    assert check.run(options) == 1
    report = json.loads(capsys.readouterr().out)
    assert [step["state"] for step in report["steps"]] == ["ok", "skipped", "failed", "ok"]
    options.json, options.only = False, ["good", "absent"]
    assert check.run(options) == 0
    assert "no such thing here" in capsys.readouterr().out


def test_the_steps_cover_the_promised_ones() -> None:
    names = {step.name for step in all_steps()}
    assert {"ruff", "format", "types", "layers", "templates", "migrations", "lock", "schema"} <= names


def test_compare_shows_what_differs(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("a\nb\n")
    (tmp_path / "new").write_text("a\nc\n")
    outcome = compare(tmp_path / "old", tmp_path / "new", "the line")
    assert (outcome.state, outcome.mend) == ("failed", "the line")
    assert "-b" in outcome.detail.splitlines()
    assert compare(tmp_path / "old", tmp_path / "old", "").state == "ok"


def test_all_benches_make_one_report_and_one_that_breaks_off_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pretended(command: list[str], **_more: object) -> subprocess.CompletedProcess[str]:
        if "bad" in command:
            return subprocess.CompletedProcess(command, 1, "")
        return subprocess.CompletedProcess(command, 0, '{"bench": "good", "machine": {}, "rows": []}\n')

    monkeypatch.setattr(bench, "names", lambda: ["bad", "good"])
    monkeypatch.setattr(bench.subprocess, "run", pretended)

    code = bench.run(argparse.Namespace(name="all", json=True, quick=True, flame=None))

    report = json.loads(capsys.readouterr().out)
    assert code == 1
    assert report["quick"] is True
    assert [one["bench"] for one in report["benches"]] == ["bad", "good"]
    assert report["benches"][0]["error"] == "broke off with exit code 1"


def test_a_flame_graph_begins_at_the_product_and_shows_each_process_with_its_share() -> None:
    raw = (
        "process 7:python -m celery;run (celery/worker.py);plan (apps/analysis/planner.py);<sql> (psycopg/a.py) 30\n"
        "process 7:python -m celery;run (celery/worker.py) 10\n"
    )
    samples = _flame.stacks("capture", raw)
    samples.update(_flame.stacks("web", "send (workers/web.py) 60\n"))

    assert samples["capture", "plan (apps/analysis/planner.py)", "<sql> (psycopg/a.py)"] == 30
    graph = defusedxml.ElementTree.fromstring(_flame.draw(samples, "a city"))

    titles = {title.text for title in graph.iter("{http://www.w3.org/2000/svg}title")}
    assert {
        "capture 40.0%",
        "web 60.0%",
        "<sql> (psycopg/a.py) 30.0%",
        "run (celery/worker.py) 10.0%",
    } <= titles
    widths = [float(bar.get("width")) for bar in graph.iter("{http://www.w3.org/2000/svg}rect")]
    assert max(widths[1:]) == pytest.approx(720 - 0.5)


def test_a_row_of_a_bench_keeps_its_shape() -> None:
    row = as_row(
        {"name": "keyframe_over_full", "value": 0.056, "goal": 0.07, "ok": True, "sides": {"full": 1.0}}
    )
    assert row == {
        "name": "keyframe_over_full",
        "value": 0.056,
        "goal": 0.07,
        "ok": True,
        "sides": {"full": 1.0},
    }
    assert as_row({"name": "decode_p50_ms", "value": 3})["goal"] is None
    about = {"processor": "p", "cores": 2, "load_1m": 0.1}
    lines = list(report_lines({"bench": "capture", "machine": about, "rows": [row]}))
    assert "keyframe_over_full" in lines[1]
    assert "reached" in lines[1]


def test_fresh_empties_only_a_folder_that_was_ours_from_the_start(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    data = data_folder(tmp_path)
    services = Services(data, given={"DATABASE_URL": "postgresql://x/y", "REDIS_URL": "redis://x"})
    with pytest.raises(LauncherError, match="removed nothing"):
        forget(data, services)
    assert (tmp_path / "precious").read_text() == "mine"

    own = data_folder(tmp_path / "new one")
    (own / "media").mkdir()
    (own / "media" / "x.jpg").write_text("")
    (own / "venv").mkdir()
    (own / "link").symlink_to(tmp_path)
    forget(own, services)
    assert sorted(path.name for path in own.iterdir()) == [".vantage-data", "venv"]
    assert (tmp_path / "precious").exists()


def test_the_data_folder_is_closed_and_an_existing_one_keeps_its_mode(tmp_path: Path) -> None:
    assert stat.S_IMODE(data_folder(tmp_path / "a" / "b").stat().st_mode) == 0o700
    (tmp_path / "open").mkdir(mode=0o755)
    assert stat.S_IMODE(data_folder(tmp_path / "open").stat().st_mode) == 0o755


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LauncherError, match="give another --data"):
        data_folder(tmp_path / "file")


def test_remembered_environment_holds_no_secret(tmp_path: Path) -> None:
    given = {
        "DJANGO_SETTINGS_MODULE": "m",
        "VANTAGE_PORT": "1",
        "VANTAGE_SECRET_KEY": "s",
        "DATABASE_URL": "p",
    }
    remember_environment(tmp_path, given)
    assert remembered_environment(tmp_path) == {"DJANGO_SETTINGS_MODULE": "m", "VANTAGE_PORT": "1"}
    assert stat.S_IMODE((tmp_path / "environment.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, []),
        (
            {"accounts": [{"username": "li", "password": "once", "role": "operator"}]},
            ["li", "once", "operator"],
        ),
        ({"accounts": [], "api_key": "k1"}, ["API", "key", "k1"]),
        ({"api_key": {"key": "k2", "app": "demo"}}, ["API", "key", "k2"]),
    ],
)
def test_account_lines(content: dict[str, object], expected: list[str]) -> None:
    assert " ".join(account_lines(content)).split() == expected


def test_ports() -> None:
    port = free_port()
    assert is_free(port)
    assert free_port(port) == port
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        assert not is_free(port)
        assert free_port(port) != port


def test_ids_made_later_are_above_the_floor() -> None:
    from apps.core.ids import uuid7

    moment = uuid7()
    seconds = (moment.int >> 80) / 1000
    assert time_floor(seconds) <= moment < time_floor(seconds + 0.002)


@pytest.mark.parametrize(
    ("arguments", "ours", "theirs"),
    [
        (["test"], ["test"], []),
        (["test", "-k", "ports", "tests/x"], ["test"], ["-k", "ports", "tests/x"]),
        (["test", "-x", "--no-build", "tests/x"], ["test", "--no-build"], ["-x", "tests/x"]),
        (["test", "--faults"], ["test", "--faults"], []),
        (["test", "-k", "test"], ["test"], ["-k", "test"]),
    ],
)
def test_pytest_gets_its_arguments_in_order(arguments: list[str], ours: list[str], theirs: list[str]) -> None:
    assert split_arguments(arguments) == (ours, theirs)
