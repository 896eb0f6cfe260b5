"""What several tests of faults begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.road import claimed_broker, served_here


@pytest.fixture
def analysis_broker(settings: Any, tmp_path: Path) -> Iterator[str]:
    """A broker of the test's own, and folders of its own for frames, media and the engine's socket."""
    settings.VANTAGE_FRAMES = tmp_path / "frames"
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.VANTAGE_ENGINE_SOCKET = str(tmp_path / "run" / "engine.sock")
    (tmp_path / "run").mkdir(mode=0o700)
    with claimed_broker(settings.REDIS_URL) as own, served_here(own):
        yield own
