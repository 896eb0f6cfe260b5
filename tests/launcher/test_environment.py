"""The launcher script and the making of the environment, without installing anything."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.launcher import environment
from portal.launcher.layout import ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """A checkout with a space in its path: what the script needs of it, and this environment as made."""
    root = tmp_path / "my checkout"
    shutil.copytree(ROOT / "portal" / "launcher", root / "portal" / "launcher")
    for name in ("vantage", "requirements.txt", "requirements-dev.txt", "portal/__init__.py"):
        shutil.copy(ROOT / name, root / name)
    own = root / ".venv"
    (own / "bin").mkdir(parents=True)
    (own / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    (own / "lib").symlink_to(Path(sys.prefix) / "lib")
    shutil.copy(Path(sys.prefix) / "pyvenv.cfg", own)
    stamp = {kind: environment.lock_hash(kind) for kind in environment.LOCKS}
    (own / environment.STAMP).write_text(json.dumps(stamp))
    return root


def vantage(root: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {"PATH": os.environ["PATH"], "HOME": str(root.parent / "empty home")}
    return subprocess.run(
        [root / "vantage", *arguments],
        env={**kept, **variables},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_script_runs_from_anywhere_with_a_space_and_writes_nothing_at_home(checkout: Path) -> None:
    home = checkout.parent / "empty home"
    home.mkdir()
    answer = vantage(checkout, "bench", "--help")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "usage: ./vantage bench" in answer.stdout
    assert list(home.iterdir()) == []


def test_the_script_may_be_a_link(checkout: Path) -> None:
    link = checkout.parent / "vantage link"
    link.symlink_to(checkout / "vantage")
    answer = subprocess.run([link, "bench", "--help"], capture_output=True, text=True, check=False, cwd="/")
    assert answer.returncode == 0


def test_without_a_python_the_script_says_what_to_install(checkout: Path) -> None:
    tools = checkout.parent / "tools"
    tools.mkdir()
    for name in ("sh", "dirname", "readlink"):
        (tools / name).symlink_to(shutil.which(name) or name)
    script = (checkout / "vantage").read_text().replace("/usr/bin/python3", "/nonexistent/python3")
    (checkout / "vantage").write_text(script)
    answer = vantage(checkout, "doctor", PATH=str(tools))
    assert answer.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13 and found none" in answer.stderr
    assert "apt install python3" in answer.stderr


def test_a_changed_lock_or_a_broken_python_means_work(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "ROOT", checkout)
    folder = checkout / ".venv"
    assert not environment.needs_change(folder, "runtime")
    with (checkout / "requirements.txt").open("a") as lock:
        lock.write("# changed\n")
    assert environment.needs_change(folder, "runtime")
    assert not environment.needs_change(folder, "development")
    (folder / "bin" / "python").unlink()
    assert environment.needs_change(folder, "development")


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [([], "runtime"), (["demo"], "runtime"), (["test", "x"], "development"), (["check"], "development")],
)
def test_which_lock_a_command_needs(arguments: list[str], kind: str) -> None:
    assert environment.kind_for(arguments) == kind


@pytest.mark.parametrize(
    ("arguments", "variable", "expected"),
    [
        (["demo", "--data", "/a b"], "", "/a b"),
        (["demo", "--data=/c"], "/ignored", "/c"),
        (["demo"], "/from variable", "/from variable"),
        (["demo", "--data"], "", None),
    ],
)
def test_data_folder(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], variable: str, expected: str | None
) -> None:
    monkeypatch.setenv("VANTAGE_DATA", variable)
    assert environment.data_argument(arguments) == Path(expected or ROOT / ".vantage")


def test_in_a_read_only_checkout_the_environment_goes_to_the_data_folder(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environment, "ROOT", checkout)
    monkeypatch.delenv("VANTAGE_VENV", raising=False)
    monkeypatch.delenv("VANTAGE_DATA", raising=False)
    shutil.rmtree(checkout / ".venv", ignore_errors=True)
    monkeypatch.setattr(environment.os, "access", lambda path, right: False)
    assert environment.choose_folder(["demo", "--data", str(tmp_path / "d")]) == tmp_path / "d" / "venv"
    with pytest.raises(environment.EnvironmentFailed, match="--data DIR"):
        environment.choose_folder(["demo"])


def test_a_python_without_ensurepip_and_pip_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environment, "has_module", lambda name: False)
    monkeypatch.setattr(environment.shutil, "which", lambda name: None)
    environment.make_folder(tmp_path / "venv")
    with pytest.raises(environment.EnvironmentFailed, match="apt install python3-venv"):
        environment.installer(tmp_path / "venv")


def test_a_failing_install_shows_the_last_lines_and_leaves_no_stamp(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environment, "ROOT", checkout)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    (checkout / "requirements.txt").write_text(f"no-such-thing==1 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(environment.EnvironmentFailed, match="no-such-thing"):
        environment.ensure(checkout / ".venv", "runtime")
    assert environment.needs_change(checkout / ".venv", "runtime")


def test_progress_counts_packages(capsys: pytest.CaptureFixture[str]) -> None:
    lines = iter([f"Collecting name{number}==1\n" for number in range(25)])
    assert environment.report_progress(lines, 30)[-1] == "Collecting name24==1"  # type: ignore[arg-type]
    assert capsys.readouterr().err.splitlines() == [
        "environment: 10 of 30 packages fetched (name9)",
        "environment: 20 of 30 packages fetched (name19)",
    ]
