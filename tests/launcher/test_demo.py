"""`./vantage demo` from start to end with real services and small stand-ins for its processes."""

import os
import signal
import subprocess
from pathlib import Path

import psycopg
import pytest

from portal.launcher import proc
from portal.launcher.ports import free_port, is_free
from tests.launcher.support import data_with_space, kill_hard, launch, running_with, wait_for

# The road itself has its own tests; here a web that answers, a worker with a child, and a seed that does nothing.
STAND_IN = """
import sys, pathlib
from portal.launcher import __main__, demo, frontend
from portal.launcher.procfile import ProcessSpec
here = pathlib.Path(__file__).parent
web = "from http.server import *; import os\\n" \\
    "class H(BaseHTTPRequestHandler):\\n" \\
    "  def do_GET(self): self.send_response(200); self.end_headers()\\n" \\
    "HTTPServer(('127.0.0.1', int(os.environ['VANTAGE_PORT'])), H).serve_forever()"
(here / "web.py").write_text(web)
demo.read_procfile = lambda path: [
    ProcessSpec("web", f"'{sys.executable}' '{here}/web.py'"),
    ProcessSpec("worker", f"sh -c 'sleep 97531 & sleep 97531; echo {here}'"),
]
demo.manage = lambda arguments, **options: None
frontend.ensure_built = lambda *arguments: None
raise SystemExit(__main__.main(sys.argv[1:]))
"""


@pytest.fixture
def stand_in(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "standin.py").write_text(STAND_IN)
    root = Path(__file__).resolve().parents[2]
    return {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(root)])}


def demo(data: Path, port: int, stand_in: dict[str, str], *more: str) -> subprocess.Popen[str]:
    return launch("standin", "demo", "--data", data, "--port", str(port), *more, environment=stand_in)


def lines_until(process: subprocess.Popen[str], start: str) -> list[str]:
    """The lines up to the one that begins so; all of them where it does not come."""
    lines = []
    assert process.stdout
    for line in process.stdout:
        lines.append(line.rstrip())
        if line.startswith(start):
            break
    return lines


def descendants(process: subprocess.Popen[str]) -> list[int]:
    return [stat.pid for stat in proc.tree(process.pid)]


def test_it_becomes_ready_and_stops_by_itself_with_0(stand_in: dict[str, str]) -> None:
    with data_with_space() as data:
        port = free_port()
        process = demo(data, port, stand_in, "--seconds", "1")
        lines = lines_until(process, "stopped")
        assert process.wait(30) == 0
        assert f"ready http://127.0.0.1:{port}" in lines
        assert lines[-1] == "stopped"
        assert running_with(str(data)) == []
        assert is_free(port)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_every_process(stand_in: dict[str, str], number: int) -> None:
    with data_with_space() as data:
        process = demo(data, free_port(), stand_in)
        lines_until(process, "ready")
        started = descendants(process)
        assert len(started) >= 6
        process.send_signal(number)
        assert lines_until(process, "stopped")[-1] == "stopped"
        process.wait(30)
        assert [pid for pid in started if proc.is_alive(pid)] == []


def test_after_kill_9_the_same_command_starts_again_on_the_same_port(stand_in: dict[str, str]) -> None:
    with data_with_space() as data:
        port = free_port()
        first = demo(data, port, stand_in)
        lines_until(first, "ready")
        started = [pid for pid in descendants(first) if pid != first.pid]
        kill_hard(first)
        second = demo(data, port, stand_in, "--seconds", "1")
        assert f"ready http://127.0.0.1:{port}" in lines_until(second, "stopped")
        assert second.wait(30) == 0
        assert wait_for(lambda: not [pid for pid in started if proc.is_alive(pid)])


def test_a_second_demo_on_the_folder_is_told_who_runs(stand_in: dict[str, str]) -> None:
    with data_with_space() as data:
        first = demo(data, free_port(), stand_in)
        lines_until(first, "ready")
        second = demo(data, free_port(), stand_in)
        output, _ = second.communicate(timeout=60)
        assert second.returncode == 1
        assert f"already runs on {data} (process {first.pid})" in output
        first.send_signal(signal.SIGINT)
        lines_until(first, "stopped")
        first.wait(30)


def test_fresh_forgets_the_rows_of_the_last_run(stand_in: dict[str, str]) -> None:
    with data_with_space() as data:
        from portal.launcher.layout import data_folder
        from portal.launcher.services import Services

        data_folder(data)
        with (
            Services(data, given={}) as services,
            psycopg.connect(services.urls()["DATABASE_URL"]) as connection,
        ):
            connection.execute("CREATE TABLE old AS SELECT 1")
        process = demo(data, free_port(), stand_in, "--fresh", "--seconds", "0")
        lines_until(process, "stopped")
        assert process.wait(30) == 0
        with (
            Services(data, given={}) as services,
            psycopg.connect(services.urls()["DATABASE_URL"]) as connection,
        ):
            assert connection.execute("SELECT to_regclass('old')").fetchone() == (None,)
