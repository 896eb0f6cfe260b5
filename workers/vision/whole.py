"""Files that readers see whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from io import BufferedWriter
from pathlib import Path


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BufferedWriter]:
    """A file to write to (mode 0640) that takes its place when the block ends well. Raises OSError.

    Buffered, since only that writes everything or raises: a full disk may take a part of what it is given.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as handle:
            yield handle
            handle.flush()
            os.fchmod(handle.fileno(), 0o640)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
