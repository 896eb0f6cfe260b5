"""A camera on loopback, a frame store and a result list of this test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.clips import make_clip
from tests.support.http_camera import HttpCamera
from workers.writer import results


@pytest.fixture(scope="session")
def clip() -> bytes:
    """Two seconds of MPEG-TS with a keyframe every ten frames."""
    return make_clip(frames=50, gop=10)


@pytest.fixture
def http_camera(clip: bytes, settings: Any) -> Iterator[HttpCamera]:
    """A running camera whose address this test may open."""
    with HttpCamera() as camera:
        camera.add_live("/live.ts", clip)
        settings.VANTAGE_OUTBOUND_EXACT = [f"127.0.0.1:{camera.port}"]
        yield camera


@pytest.fixture(autouse=True)
def own_places(settings: Any, tmp_path: Path) -> None:
    """Frames, media and sockets under the test's folder."""
    settings.VANTAGE_FRAMES = tmp_path / "frames"
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.VANTAGE_ENGINE_SOCKET = str(tmp_path / "engine.sock")
    settings.VANTAGE_LIVE_SOCKET = str(tmp_path / "live.sock")


@pytest.fixture(autouse=True)
def own_results(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lists nobody else reads."""
    from apps.core.ids import uuid7

    mark = uuid7().hex
    for name in ("WAITING", "TAKEN", "DEAD"):
        monkeypatch.setattr(results, name, f"test:{mark}:{name.lower()}")
    yield
    results.client().delete(results.WAITING, results.taken(0), results.DEAD)
