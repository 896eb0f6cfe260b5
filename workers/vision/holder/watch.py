"""Looks after one stream's picture: damage, rate and health, and which of them degrades it."""

from __future__ import annotations

from workers.vision.frames import Frame
from workers.vision.holder.counters import DamageWindow, RateMeter
from workers.vision.quality import HealthDetector, HealthState

DEGRADING = (
    HealthState.SIGNAL_LOST,
    HealthState.FROZEN,
    HealthState.BLACK,
    HealthState.BRIGHT,
)
"""Findings that degrade a stream, the worst first; the others are only reported."""
MIN_ATTEMPTS = 5
LOOK_EVERY = 2.0


class PictureWatch:
    """Fed by the stream's thread; `cause` is '' while the picture is fit for use."""

    def __init__(self) -> None:
        self.damage = DamageWindow()
        self.findings: frozenset[HealthState] = frozenset()
        self._detector = HealthDetector()
        self._rate = RateMeter()
        self._nominal = 0.0
        self._slow = False
        self._looked = float("-inf")

    def reopened(self, nominal_fps: float) -> None:
        """A new connection; nominal_fps 0 where the stream does not say. The picture's history goes on."""
        self.damage.clear()
        self._rate.clear()
        self._nominal, self._slow = nominal_fps, False

    def packet(self, moment: float) -> float | None:
        """Count a packet; the measured rate when a window is full."""
        rate = self._rate.add(moment)
        if rate is not None:
            self._slow = self._nominal > 0 and rate < 0.5 * self._nominal
        return rate

    def decode(self, moment: float, damaged: bool) -> None:
        """Count a decode attempt."""
        self.damage.add(moment, damaged)

    def is_due(self, moment: float, every: float = LOOK_EVERY) -> bool:
        """Is it time to look at a picture again?"""
        return moment - self._looked >= every

    def frame(self, frame: Frame, moment: float) -> None:
        """Look at a decoded frame, at most every other second."""
        if self.is_due(moment):
            self._looked = moment
            self.findings = self._detector.update(frame)

    @property
    def too_damaged(self) -> bool:
        """More than a fifth of the last minute: connect again."""
        share, attempts = self.damage.share()
        return attempts >= MIN_ATTEMPTS and share > 0.2

    @property
    def cause(self) -> str:
        """Why the stream is degraded; '' if it is not."""
        for state in DEGRADING:
            if state in self.findings:
                return state.value
        share, attempts = self.damage.share()
        if attempts >= MIN_ATTEMPTS and share > 0.05:
            return "corrupt"
        return "low_fps" if self._slow else ""
