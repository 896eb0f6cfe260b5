"""A picture of a camera that is held comes from the holder: one upstream connection, whoever asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from apps.analysis.models import Scene
from apps.devices.services.live import live_right, picture_now
from tests.support import factories
from tests.support.http_camera import HttpCamera
from tests.support.waiting import wait_until
from workers.capture.frames import FrameStore
from workers.capture.shots import Shot, take
from workers.streams import Streams
from workers.vision.frames import Frame
from workers.vision.holder import Demand, StreamWish, ask_picture
from workers.vision.holder.pictures import PictureDesk
from workers.vision.rendition.decode import decode_image
from workers.vision.sources import RefuseAll, SourceOptions, VideoPacket

pytestmark = pytest.mark.django_db
LEFT_HALF = {
    "type": "Polygon",
    "space": "image-norm",
    "preset": 0,
    "coordinates": [[[0, 0], [0.5, 0], [0.5, 1], [0, 1], [0, 0]]],
}


class Holding:
    """A stream holder with its socket, and a thread that reconciles; nothing of the database."""

    def __init__(self) -> None:
        self.streams = Streams()
        self.fixed: dict[str, StreamWish] = {}
        self._ended = threading.Event()
        self.streams.viewers.start()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(0.05):
            self.streams.holder.reconcile({**self.streams.viewers.wishes(), **self.fixed})

    def close(self) -> None:
        self._ended.set()
        self._thread.join(5)
        self.streams.viewers.stop()
        self.streams.holder.close()


@pytest.fixture
def holding(http_camera: HttpCamera) -> Iterator[Holding]:
    made = Holding()
    yield made
    made.close()


def test_a_capture_of_a_held_camera_opens_no_second_connection(
    holding: Holding, http_camera: HttpCamera, settings: Any
) -> None:
    camera = factories.camera(factories.organisation())
    wish = StreamWish(http_camera.url("/live.ts"), (Demand("keyframes", 60.0),), live=True)
    holding.fixed = {str(camera.pk): wish}
    assert wait_until(lambda: holding.streams.holder.status().get(str(camera.pk)) is not None)
    assert wait_until(lambda: holding.streams.holder.status()[str(camera.pk)].state == "online")
    store = FrameStore()
    shot = Shot(camera.pk, camera.pk, 0, wish.url, SourceOptions(), [LEFT_HALF], 10.0)
    taken = take(shot, RefuseAll(), store, settings.VANTAGE_LIVE_SOCKET)
    assert (taken.reason, taken.fault) == ("", False)
    assert taken.path is not None
    picture = decode_image(taken.path)
    assert picture.shape == (180, 320, 3)
    assert picture[:, :140].std() < 3 < picture[:, 180:].std()
    assert len(http_camera.requests) == 1


def test_a_capture_of_a_camera_that_is_not_held_opens_it_itself(
    holding: Holding, http_camera: HttpCamera, settings: Any
) -> None:
    from apps.core.outbound.settings import camera_policy

    camera = factories.camera(factories.organisation())
    shot = Shot(camera.pk, camera.pk, 0, http_camera.url("/live.ts"), SourceOptions(), [], 10.0)
    for socket in (settings.VANTAGE_LIVE_SOCKET, "/nobody/listens", ""):
        assert take(shot, camera_policy(), FrameStore(), socket).reason == ""
    assert len(http_camera.requests) == 3


def test_pictures_for_a_viewer_keep_one_connection_and_are_masked(
    holding: Holding, http_camera: HttpCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.devices.services.live.FRESH", 0.3)
    home = factories.organisation()
    camera = factories.camera(home, address=http_camera.url("/live.ts"))
    Scene.objects.create(camera=camera, preset=0, privacy_masks=[LEFT_HALF])
    viewer = factories.principal(home)
    right = live_right(viewer, camera.pk)
    assert right is not None
    assert not right.is_raw
    times = []
    for _ in range(3):
        found = picture_now(viewer, right)
        assert found is not None
        picture, at = found
        assert picture.note == "privacy-masks-painted"
        image = decode_image(picture.jpeg)
        assert image[20:150, 10:140].std() < 12  # the watermark lies over it
        assert image[20:150, 180:300].std() > 20
        times.append(at)
        time.sleep(0.5)
    assert times == sorted(set(times))
    assert len(http_camera.requests) == 1


def test_nobody_listening_is_an_answer_at_once() -> None:
    began = time.monotonic()
    assert ask_picture("/no/such/socket", "x", seconds=10) is None
    assert time.monotonic() - began < 1


class Source:
    """Decodes what it is told; counts how often."""

    def __init__(self, *frames: Frame | None) -> None:
        self.frames = list(frames)

    def decode_keyframe(self, packet: VideoPacket) -> Frame | None:
        return self.frames.pop(0)


def test_one_decode_serves_all_who_ask_and_a_damaged_one_nobody() -> None:
    from apps.core import clock

    moment = [0.0]
    desk = PictureDesk(now=lambda: moment[0])
    packet: Any = object()
    good = Frame(np.zeros((2, 2, 3), np.uint8), clock.now(), keyframe=True)
    got: list[Frame | None] = []
    askers = [threading.Thread(target=lambda: got.append(desk.ask(5.0, 10.0))) for _ in range(3)]
    for asker in askers:
        asker.start()
    assert wait_until(lambda: len(desk._asked) == 3)
    source: Any = Source(None, good)
    desk.serve(source)  # nothing kept yet
    desk.keep(packet)
    desk.serve(source)  # damaged
    assert got == []
    desk.keep(packet)
    moment[0] = 6.0
    desk.serve(source)  # too old: the next one is waited for
    assert got == []
    desk.keep(packet)
    desk.serve(source)
    for asker in askers:
        asker.join(5)
    assert got == [good] * 3
    assert not source.frames
    desk.clear()
    assert desk.ask(5.0, 0.01) is None
