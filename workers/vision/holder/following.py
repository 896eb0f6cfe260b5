"""A stream of which every picture is wanted: which packets go through its decoder, and from where on."""

from __future__ import annotations

import time

from workers.vision.holder.lag import Lag
from workers.vision.holder.turns import Turns
from workers.vision.sources import VideoPacket


class Following:
    """From a keyframe on, packet by packet, while it is the stream's turn and its reader keeps up."""

    def __init__(self, stream: str, turns: Turns) -> None:
        self.begins = False
        """The packet that was just allowed is the first after a gap."""
        self.is_settled = True
        """Not in the first group after a gap: in an open group pictures lean on what was left out, and look damaged."""
        self._stream, self._turns = stream, turns
        self._lag = Lag()
        self._goes_on = self._has_begun = False

    def reopened(self) -> None:
        """A new connection."""
        self._goes_on, self._has_begun, self._lag = False, False, Lag()

    def pause(self) -> None:
        """Packets are left out for another reason."""
        self._goes_on = False

    def leave(self) -> None:
        """The stream ended, or not every picture of it is wanted any more."""
        self._goes_on = False
        self._turns.leave(self._stream)

    def allows(self, packet: VideoPacket, *, live: bool) -> bool:
        """May the decoder have this packet? A turn begins with a keyframe and can end anywhere."""
        moment = time.monotonic()
        is_key = packet.is_keyframe
        has_turn = self._turns.ask(self._stream, moment) if is_key else self._turns.has(self._stream)
        if not has_turn:
            self._lag.pause()
        if not has_turn or not (is_key or self._goes_on):
            self._goes_on = False
            return False
        if live and self._lag.add(packet.pts, moment) and not is_key:
            # What piles up in the socket only grows older: go on with the newest group of pictures.
            self._turns.fell_behind(self._stream, moment)
            self._goes_on = False
            return False
        self.begins, self._goes_on = not self._goes_on, True
        if is_key:
            self.is_settled = not (self.begins and self._has_begun)
            self._has_begun = True
        return True
