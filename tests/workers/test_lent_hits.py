"""Nodes and writer on different machines: the picture of a hit comes along through Redis, and is given back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from apps.devices.models import Capture
from apps.events.models import RawEvent
from tests.support.engine import clear
from tests.support.hits import Hits
from workers.capture import shared
from workers.writer import Writer, results

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Frames in Redis that nobody else reads."""
    mark = uuid4().hex
    monkeypatch.setattr(shared, "INDEX", f"test:{mark}:frames")
    monkeypatch.setattr(shared, "KEY", f"test:{mark}:frame:{{}}")
    yield
    shared.client().delete(shared.INDEX, *shared.client().scan_iter(f"test:{mark}:*"))


@pytest.fixture
def node(tmp_path: Path) -> Hits:
    """Its frames lie in a folder of its own."""
    return Hits(tmp_path / "node")


def lent() -> int:
    """How many pictures lie in Redis."""
    return int(shared.client().zcard(shared.INDEX))


def pushed_and_gone(node: Hits) -> bytes:
    """A hit is on its way, and the writer sees nothing of the node's frames; the picture's bytes."""
    item = node.one()
    picture = Path(item.frame).read_bytes()
    assert results.push([item])
    Path(item.frame).unlink()
    return picture


def test_a_writer_on_another_machine_stores_the_picture_and_gives_its_room_back(
    node: Hits, settings: Any
) -> None:
    settings.VANTAGE_LEND_HITS = True
    picture = pushed_and_gone(node)
    assert lent() == 1
    assert Writer().step(idle=0.2) == 1
    capture = Capture.objects.get()
    assert (Path(settings.MEDIA_ROOT) / capture.path).read_bytes() == picture
    assert RawEvent.objects.get().capture_id == capture.pk
    assert lent() == 0
    assert list(Path(settings.VANTAGE_FRAMES).glob("*")) == []


def test_only_hits_travel_and_only_where_the_site_says_so(node: Hits, settings: Any) -> None:
    results.push([node.one()])
    settings.VANTAGE_LEND_HITS = True
    results.push([replace(node.one(), results=[clear(str(node.execution.pk))])])
    assert lent() == 0


def test_without_room_the_event_goes_on_without_its_picture(node: Hits, settings: Any) -> None:
    settings.VANTAGE_LEND_HITS = True
    settings.VANTAGE_SHARED_FRAMES_MB = 0
    pushed_and_gone(node)
    Writer().step(idle=0.2)
    assert RawEvent.objects.get().capture_id is None
    assert not Capture.objects.exists()
