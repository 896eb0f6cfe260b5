"""Room for models: opened on their device, on the CPU where that is full, never in a loop; and who has to make room."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from datetime import UTC, datetime
from typing import Any

from workers.vision.inference.precedence import Claims, Rank
from workers.vision.inference.spec import ModelSpec
from workers.vision.runtimes.base import DeviceOutOfMemory, Model, Preempted
from workers.vision.runtimes.cache import ModelCache
from workers.vision.runtimes.providers import CPU, present
from workers.vision.runtimes.served import ServedModel

FULL_SECONDS = 30.0
"""How long a model that found room nowhere is not opened again."""
LET_GO_SECONDS = 10.0
"""How long a model of a higher priority waits for the runs of the one it pushes out."""
TOLD = 20
"""So many of the last pre-emptions are told in the statistics."""
ModelOpener = Callable[[ModelSpec, str], Model]

log = logging.getLogger(__name__)


class Room:
    """Lends opened models. A model in room that was made for it is in the cache; what lost its room is known here."""

    def __init__(
        self, models: ModelCache[ServedModel], faulty: dict[str, str], open_model: ModelOpener
    ) -> None:
        self.preempted = 0
        self.preemptions: deque[dict[str, Any]] = deque(maxlen=TOLD)
        self._models = models
        self._faulty = faulty
        self._open_model = open_model
        self._claims = Claims()
        self._full_until: dict[tuple[str, str], float] = {}
        self._pushed_out: dict[tuple[str, str], tuple[str, str]] = {}
        """Models that lost their room → the model that got it; until that one is held by nobody."""
        self._making = threading.Lock()

    @contextlib.contextmanager
    def lend(self, model: ModelSpec, rank: Rank, may_fall_back: bool) -> Iterator[ServedModel]:
        """The opened model for as long as the block runs; raises `ModelError`."""
        self._claims.note(model.key, rank)
        if model.key in self._pushed_out:
            self._come_back(model)
        with self._models.borrow(model.key, lambda: self._serve(model, rank, may_fall_back)) as served:
            yield served

    def _serve(self, model: ModelSpec, rank: Rank, may_fall_back: bool) -> ServedModel:
        opened = self._open(model, rank, may_fall_back)
        on_device = _on_device(opened)
        self._faulty.pop(model.sha256, None)
        return ServedModel(opened, (lambda: self._open_model(model, "cpu")) if on_device else None)

    def _open(self, model: ModelSpec, rank: Rank, may_fall_back: bool) -> Model:
        """On its device; where that is full, after models of its equals that are not in use were closed, then after
        pre-empting others (precedence.py); else on the CPU.

        Where nothing has room it is not tried again for a while: opening for every frame would help nobody.
        """
        if time.monotonic() < self._full_until.get(model.key, 0.0):
            raise self._no_room(model, "there was no room for this model a moment ago")
        if model.platform == "cpu" or (model.platform == "auto" and present()[0] == CPU):
            opened = self._open_there(model, rank, lambda _: True)
        else:
            with self._making:  # room that was made for one is not taken by another
                opened = self._open_there(model, rank, _on_device)
        if opened is not None:
            return opened
        if not may_fall_back:
            raise DeviceOutOfMemory("no room on the device")
        log.warning("still no room for model %s: it runs on the CPU", model.id)
        try:
            return self._open_model(model, "cpu")
        except DeviceOutOfMemory as error:
            self._full_until[model.key] = time.monotonic() + FULL_SECONDS
            raise self._no_room(model, str(error)) from error

    def _open_there(
        self, model: ModelSpec, rank: Rank, is_there: Callable[[ServedModel], bool]
    ) -> Model | None:
        opened = self._try(model)
        if opened is not None:
            return opened
        log.warning("no room for model %s: unused models are closed", model.id)
        self._models.unload(which=lambda key: self._claims.gives_way(key, rank))
        opened = self._try(model)
        for key in self._claims.preempted_by(rank, self._models.resident(is_there)):
            if opened is not None:
                break
            self._preempt(key, model, rank)
            opened = self._try(model)
        return opened

    def _try(self, model: ModelSpec) -> Model | None:
        """None where its device has no room."""
        try:
            return self._open_model(model, model.platform)
        except DeviceOutOfMemory:
            return None

    def _preempt(self, key: Hashable, model: ModelSpec, rank: Rank) -> None:
        """Take the room of `key` for `model`: a decision that the log and the statistics tell."""
        holder = self._claims.holder(key) or Rank()
        victim: tuple[str, str] = key  # type: ignore[assignment]  # the engine's keys are (sha256, platform)
        self._pushed_out[victim] = model.key
        is_closed = self._models.push_out(key, LET_GO_SECONDS)
        self.preempted += 1
        told = {
            "model": victim[0],
            "priority": holder.priority,
            "by": model.sha256,
            "by_priority": rank.priority,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        self.preemptions.append(told)
        log.warning(
            "model %s (priority %d) is pre-empted by model %s (priority %d)%s",
            victim[0][:12], holder.priority, model.id, rank.priority, "" if is_closed else ": still in use",
        )  # fmt: skip

    def _come_back(self, model: ModelSpec) -> None:
        """Once nobody asks any more for the model that took its room, this one is opened on its device again."""
        by = self._pushed_out.get(model.key)
        if by is None or self._claims.holder(by) is not None:
            return
        if self._models.unload(model.key) or model.key not in self._models.resident():
            self._pushed_out.pop(model.key, None)
            self._full_until.pop(model.key, None)

    def _no_room(self, model: ModelSpec, message: str) -> DeviceOutOfMemory:
        if model.key in self._pushed_out:
            return Preempted(f"its room was given to a model of a higher priority: {message}")
        return DeviceOutOfMemory(message)


def _on_device(model: Model | ServedModel) -> bool:
    return bool(model.providers) and model.providers[0] != CPU
