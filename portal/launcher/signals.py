"""Stopping by signal: while preparing it interrupts, later it sets an event; a second one changes nothing."""

import signal
import threading
from types import FrameType


class StopRequest:
    """SIGINT, SIGTERM and SIGHUP ask this process to stop.

    Until `settle()` the first of them raises KeyboardInterrupt wherever the program is, so that a long
    preparation ends at once; afterwards it only sets the event, so that no clean-up is torn.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self._is_settled = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._handle)

    def settle(self) -> None:
        """From now on a signal only sets the event."""
        self._is_settled = True

    def wait(self, seconds: float) -> bool:
        """Wait that long; True where a stop was asked for."""
        return self.event.wait(seconds)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        is_first = not self.event.is_set()
        self.event.set()
        if is_first and not self._is_settled:
            raise KeyboardInterrupt
