"""Nodes and writer on different machines: the picture of a hit comes along through Redis, and is given back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from apps.core import clock
from apps.devices.models import Capture
from apps.events.models import RawEvent
from tests.support import factories
from tests.support.analysis import ITEM, builtin_version, executions_of, running_task
from tests.support.engine import clear, hit
from workers.capture import shared
from workers.capture.frames import FrameStore
from workers.writer import Writer, results
from workers.writer.results import FrameResults

pytestmark = pytest.mark.django_db
JPEG = b"\xff\xd8 the picture of a hit \xff\xd9"


@pytest.fixture(autouse=True)
def own_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Frames in Redis that nobody else reads."""
    mark = uuid4().hex
    monkeypatch.setattr(shared, "INDEX", f"test:{mark}:frames")
    monkeypatch.setattr(shared, "KEY", f"test:{mark}:frame:{{}}")
    yield
    shared.client().delete(shared.INDEX, *shared.client().scan_iter(f"test:{mark}:*"))


class Node:
    """A camera's node: frames in a folder of its own, results for the writer."""

    def __init__(self, folder: Path) -> None:
        self.store = FrameStore(folder)
        home = factories.organisation()
        self.camera = factories.camera(home, address="rtsp://10.0.0.1/live")
        task = running_task(home, [self.camera], [builtin_version()], interval=10)
        self.execution = str(executions_of(task)[0].pk)

    def found(self, answer: dict[str, Any], name: str = "live-1") -> Path:
        """Analysed: the frame's path on the node."""
        path = self.store.keep(JPEG, name)
        item = FrameResults(None, self.camera.pk, 0, clock.now(), str(path), 8, 8, [answer])
        assert results.push([item])
        return path

    def vanish(self) -> None:
        """What a writer on another machine sees of the node's frames: nothing."""
        for path in self.store.root.iterdir():
            path.unlink()


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path / "node")


def lent() -> int:
    """How many pictures lie in Redis."""
    return int(shared.client().zcard(shared.INDEX))


def test_a_writer_on_another_machine_stores_the_picture_and_gives_its_room_back(
    node: Node, settings: Any
) -> None:
    settings.VANTAGE_LEND_HITS = True
    node.found(hit(node.execution, ITEM))
    node.vanish()
    assert lent() == 1
    assert Writer().step(idle=0.2) == 1
    capture = Capture.objects.get()
    assert (Path(settings.MEDIA_ROOT) / capture.path).read_bytes() == JPEG
    assert RawEvent.objects.get().capture_id == capture.pk
    assert lent() == 0
    assert list(Path(settings.VANTAGE_FRAMES).glob("*")) == []


def test_only_hits_travel_and_only_where_the_site_says_so(node: Node, settings: Any) -> None:
    node.found(hit(node.execution, ITEM))
    settings.VANTAGE_LEND_HITS = True
    node.found(clear(node.execution), "live-2")
    assert lent() == 0


def test_without_room_the_event_goes_on_without_its_picture(node: Node, settings: Any) -> None:
    settings.VANTAGE_LEND_HITS = True
    settings.VANTAGE_SHARED_FRAMES_MB = 0
    node.found(hit(node.execution, ITEM))
    node.vanish()
    Writer().step(idle=0.2)
    assert RawEvent.objects.get().capture_id is None
    assert not Capture.objects.exists()
