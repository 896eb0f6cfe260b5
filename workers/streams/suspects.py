"""Live cameras under whose frames the engine ended: tried one at a time, and given up after a few."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from workers.process.poison import MOST_CRASHES
from workers.vision.engine_client import EngineClient, EngineUnavailable

logger = logging.getLogger(__name__)
REST_SECONDS = 600.0
"""What was given up is tried once more after so long: its camera, its picture or its package may be another by then."""
Place = tuple[UUID, int]


class GivenUp(Exception):
    """This camera's frames ended the engine too often: it is not asked about them now."""


class Suspects:
    """All cameras whose frames were with the engine when it ended; most of them only stood beside the one."""

    def __init__(self) -> None:
        self._crashes: dict[Place, int] = {}
        self._resting: dict[Place, float] = {}
        self._alone = threading.Lock()

    @contextmanager
    def watched(self, place: Place, client: Callable[[], EngineClient]) -> Iterator[EngineClient | None]:
        """Analyse inside: by the client it gives, where the camera is suspected, else by whatever one has.

        Raises `GivenUp`, and `EngineUnavailable` where another suspect is being tried: live frames do not wait.
        """
        if self._resting.get(place, 0.0) > time.monotonic():
            raise GivenUp
        if place not in self._crashes:
            with self._counted(place):
                yield None
            return
        if not self._alone.acquire(blocking=False):
            raise EngineUnavailable("another camera is being tried alone")
        try:
            with (
                self._counted(place),
                client() as own,
            ):  # a fresh connection: nobody else's crash is seen on it
                yield own
            self._crashes.pop(place, None)
        finally:
            self._alone.release()

    @contextmanager
    def _counted(self, place: Place) -> Iterator[None]:
        try:
            yield
        except EngineUnavailable as error:
            if error.went_away:
                self._note(place)
            raise

    def _note(self, place: Place) -> None:
        crashes = self._crashes[place] = self._crashes.get(place, 0) + 1
        if crashes < MOST_CRASHES:
            return
        self._crashes[place] = MOST_CRASHES - 1  # after the rest one more try decides
        self._resting[place] = time.monotonic() + REST_SECONDS
        logger.error(
            "live frames of camera %s preset %d ended the engine %d times: given up for %.0f min",
            *place, MOST_CRASHES, REST_SECONDS / 60,
        )  # fmt: skip
