"""Does this node have the models that its site runs, byte for byte? Looked at before any work is placed on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from apps.algorithms.models import AlgorithmPackage
from apps.analysis.choices import ExecutionState
from apps.analysis.models import Execution
from workers.vision.runtimes.base import ModelError
from workers.vision.runtimes.checksum import verify

LOOK_EVERY = 15.0
READ_AGAIN = 600.0
"""Seconds after which a file is read again though its size and time have not changed."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of a package in use and the SHA-256 its manifest names."""

    path: Path
    sha256: str


@dataclass(slots=True)
class _Seen:
    mark: tuple[int, int] | None
    at: float
    fault: str


class ModelShelf:
    """`faults` is cheap to ask often: files are read when they changed, when they were bad, and now and then."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seen: dict[ModelFile, _Seen] = {}
        self._files: list[ModelFile] = []
        self._looked = float("-inf")

    def faults(self) -> dict[str, str]:
        """SHA-256 → model_missing | model_corrupt, for the packages that executions of the site use."""
        moment = self._now()
        if moment - self._looked >= LOOK_EVERY:
            self._looked = moment
            self._files = files_in_use()
        return self.check(self._files)

    def check(self, files: Iterable[ModelFile]) -> dict[str, str]:
        """The same for these files."""
        moment, found = self._now(), {}
        for file in files:
            mark = _mark(file.path)
            seen = self._seen.get(file)
            if seen is None or seen.mark != mark or moment - seen.at > READ_AGAIN:
                seen = self._seen[file] = _Seen(mark, moment, _fault(file))
            if seen.fault:
                found[file.sha256] = seen.fault
        return found


def files_in_use() -> list[ModelFile]:
    """Model files of the packages that executions use; built-in packages have none."""
    used = Execution.objects.exclude(state=ExecutionState.STOPPED).values("package_id")
    root = Path(settings.VANTAGE_PACKAGES)
    return [
        ModelFile(root / (package.path or package.fingerprint) / str(model["file"]), str(model["sha256"]))
        for package in AlgorithmPackage.objects.filter(pk__in=used)
        for model in package.manifest.get("models", [])
        if model.get("file") and model.get("sha256")
    ]


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_size, facts.st_mtime_ns


def _fault(file: ModelFile) -> str:
    try:
        verify(file.path, file.sha256)
    except ModelError as error:
        return str(error.reason)
    except OSError:
        return "model_missing"
    return ""
