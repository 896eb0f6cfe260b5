"""Nothing is written at home, and no library reports to anybody."""

import os
import subprocess
from pathlib import Path

import pytest

from portal.launcher.layout import ROOT
from tests.launcher.support import PYTHON, output_of


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("wish", ["", "0"])
def test_loading_a_model_runtime_leaves_no_id_and_starts_no_upload(tmp_path: Path, wish: str) -> None:
    code = (
        "import workers.vision.runtimes.onnx, onnxruntime, threading, os; onnxruntime.get_available_providers();"
        "print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    # Continuous integration silences the library by itself: the test must not pass because of that.
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG"}}
    environment = {**kept, "HOME": str(tmp_path), "ORT_DISABLE_TELEMETRY": wish, "PYTHONPATH": str(ROOT)}
    answer = subprocess.run([PYTHON, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "1"
    assert files_below(tmp_path) == []


def test_the_doctor_writes_nothing_at_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    _, output = output_of(
        "portal.launcher", "doctor", "--data", tmp_path / "d", environment={"HOME": str(home), "CI": ""}
    )
    assert "inference" in output
    assert files_below(home) == []
