"""The supervisor: restarts what falls, ends what it started, leaves nothing after a kill -9."""

import os
import shlex
import signal
import sys
from pathlib import Path

import pytest

from portal.launcher.errors import LauncherError
from portal.launcher.procfile import ProcessSpec, read_procfile
from portal.launcher.remains import end_recorded
from portal.launcher.supervisor import Supervisor, last_line, trim_log
from tests.launcher.support import kill_hard, launch, running_with, wait_for

STUBBORN = "sh -c 'trap \"\" TERM; sleep {mark} & sleep {mark} & wait; sleep {mark}'"


def make(data: Path, *specs: ProcessSpec) -> tuple[Supervisor, list[str]]:
    lines: list[str] = []
    supervisor = Supervisor(specs, data=data, environment=dict(os.environ), say=lines.append, folder=data)
    return supervisor, lines


def mark_of(tmp_path: Path) -> str:
    """A number of seconds to sleep that names this test's processes."""
    return f"98765{abs(hash(str(tmp_path))) % 10**8}"


def test_output_goes_to_a_file_and_the_end_is_told(tmp_path: Path) -> None:
    supervisor, lines = make(tmp_path, ProcessSpec("talker", "sh -c 'echo hello; exit 3'"))
    supervisor.start()
    try:
        assert wait_for(lambda: (supervisor.tend(), lines)[1])
        assert "talker ended with status 3, starts again in 1 s" in lines[0]
        assert lines[1].strip() == "hello"
        assert (tmp_path / "logs" / "talker.log").read_text() == "hello\n"
        assert wait_for(lambda: (supervisor.tend(), supervisor.managed[0].restarts)[1])
    finally:
        supervisor.stop()


def test_each_failure_waits_longer(tmp_path: Path) -> None:
    supervisor, lines = make(tmp_path, ProcessSpec("faller", "false"))
    supervisor.start()
    try:
        assert wait_for(lambda: (supervisor.tend(), len(lines) >= 3)[1])
        waits = [line.split("again in ")[1].split(" s")[0] for line in lines[:3]]
        assert waits == ["1", "2", "4"]
    finally:
        supervisor.stop()


def test_stop_ends_children_of_children_and_those_that_do_not_listen(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("portal.launcher.supervisor.STOP_SECONDS", 1.0)
    mark = mark_of(tmp_path)
    supervisor, lines = make(tmp_path, ProcessSpec("stubborn", STUBBORN.format(mark=mark)))
    supervisor.start()
    assert wait_for(lambda: len(running_with(mark)) >= 3)
    supervisor.stop()
    assert running_with(mark) == []
    assert any("was killed" in line for line in lines)
    assert not (tmp_path / "processes.json").exists()


RUNNER = """
import sys, pathlib, os, time
from portal.launcher.procfile import ProcessSpec
from portal.launcher.supervisor import Supervisor
data = pathlib.Path(sys.argv[1])
supervisor = Supervisor([ProcessSpec(str(i), c) for i, c in enumerate(sys.argv[2:])], data=data,
    environment=dict(os.environ), say=print, folder=data)
supervisor.start()
supervisor.run(lambda seconds: time.sleep(seconds))
"""


def test_none_left_after_kill_9_of_the_supervisor(tmp_path: Path) -> None:
    mark = mark_of(tmp_path)
    (tmp_path / "runner.py").write_text(RUNNER)
    process = launch(
        "runner", tmp_path, f"sleep {mark}", STUBBORN.format(mark=mark), environment=here(tmp_path)
    )
    assert wait_for(lambda: len(running_with(f"{mark}")) >= 5)
    kill_hard(process)
    assert wait_for(lambda: running_with(mark) == [], 30), "the guard ends the groups, at last by SIGKILL"


def here(folder: Path) -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}


def test_the_next_start_ends_what_the_guard_could_not(tmp_path: Path) -> None:
    mark = mark_of(tmp_path)
    supervisor, _ = make(tmp_path, ProcessSpec("sleeper", f"sleep {mark}"))
    supervisor.start()
    assert supervisor.remains.guard
    supervisor.remains.guard.kill()
    assert wait_for(lambda: running_with(mark))
    ended = end_recorded(tmp_path / "processes.json")
    assert ended == [supervisor.managed[0].process.pid]
    assert running_with(mark) == []
    supervisor.managed[0].process.wait()


def test_a_recorded_number_that_is_another_process_now_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "processes.json").write_text(f'{{"{os.getpid()}": "another-boot/1"}}')
    assert end_recorded(tmp_path / "processes.json") == []


def test_logs_stay_bounded(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_bytes(b"a" * 900 + b"b" * 200)
    trim_log(log, limit=1000)
    assert log.stat().st_size == 0
    assert (tmp_path / "x.log.1").read_bytes() == b"a" * 50 + b"b" * 200


@pytest.mark.parametrize(
    ("content", "line"), [("", ""), ("a\nb\n\n", "b"), ("only", "only"), ("密码\n", "密码")]
)
def test_last_line(tmp_path: Path, content: str, line: str) -> None:
    path = tmp_path / "log"
    path.write_text(content, encoding="utf-8")
    assert last_line(path) == line


def test_procfile(tmp_path: Path) -> None:
    path = tmp_path / "Procfile"
    path.write_text("# a comment\nweb: serve --port ${PORT:-1}\nworker: work\n")
    assert [spec.name for spec in read_procfile(path)] == ["web", "worker"]


@pytest.mark.parametrize("content", ["", "# nothing\n", "web: a\nweb: b\n"])
def test_a_procfile_that_is_no_list_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "Procfile"
    path.write_text(content)
    with pytest.raises(LauncherError):
        read_procfile(path)


def test_the_demo_has_at_most_eight_processes() -> None:
    from portal.launcher.layout import ROOT

    assert len(read_procfile(ROOT / "Procfile.demo")) <= 8


def test_sigterm_reaches_the_process_itself(tmp_path: Path) -> None:
    """`exec` in the shell: what the Procfile names is our child, not a shell that hides it."""
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    supervisor, _ = make(tmp_path, ProcessSpec("trap", shlex.join(command)))
    supervisor.start()
    process = supervisor.managed[0].process
    assert process
    line = Path(f"/proc/{process.pid}/cmdline")
    assert wait_for(lambda: line.read_text().split("\0")[:-1] == command), "python in the place of the shell"
    supervisor.stop()
    assert process.returncode == -signal.SIGTERM


def test_one_process_may_start_before_the_others(tmp_path: Path) -> None:
    supervisor, _lines = make(tmp_path, ProcessSpec("web", "sleep 30"), ProcessSpec("late", "sleep 30"))
    supervisor.start(first="web", head_start=60.0)
    try:
        supervisor.tend()
        web, late = supervisor.managed
        assert web.process is not None
        assert late.process is None
        supervisor.release()
        supervisor.tend()
        assert late.process is not None
        assert late.restarts == 0
    finally:
        supervisor.stop()
