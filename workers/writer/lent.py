"""Pictures of hits on nodes whose frames this machine does not see: lent through Redis, here while they are written."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from workers.capture import shared
from workers.capture.frames import FrameStore
from workers.writer.results import FrameResults


@contextlib.contextmanager
def pictures(batch: Sequence[FrameResults], store: FrameStore) -> Iterator[list[FrameResults]]:
    """The batch, each hit's picture in a file of this machine; what was lent is free again when it is written."""
    fetched: dict[Path, int] = {}
    try:
        yield [_here(item, store, fetched) for item in batch]
        for path, size in fetched.items():
            shared.drop(shared.hit_name(path), size)
    finally:
        for path in fetched:
            store.delete(path)


def _here(item: FrameResults, store: FrameStore, fetched: dict[Path, int]) -> FrameResults:
    """With its picture on this machine, if that was lent; `fetched` is told of the file and its size."""
    path = Path(item.frame)
    if not (item.has_hits and item.frame) or path.is_file():
        return item
    data = shared.get(shared.hit_name(path))
    if data is None:
        return item
    own = store.keep(data, path.stem)
    fetched[own] = len(data)
    return replace(item, frame=str(own))
