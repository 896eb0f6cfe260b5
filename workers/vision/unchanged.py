"""The difference gate: need this picture be looked at, when nothing has changed since the last look?

Compares a small grey copy with the one of the last look. Each pixel has a noise of its own, learnt from one picture
to the next, so that leaves and screens count for less than the pavement; a change is several differing pixels close
together. An even change of light is taken out first.

Careful on purpose: only a look that found nothing can be stood in for, one look in `every` is taken whatever the
picture shows, and when such a look finds something the gate overlooked, it becomes more sensitive.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from workers.vision.frames import Image

SIZE = (160, 90)
FLOOR, CEILING = 9.0, 32.0
"""Grey levels: no smaller difference counts; any larger one does, however restless the place."""
TIMES_NOISE = 4.0
TOGETHER = 4
"""Differing pixels within 5×5 that make a change: a person of a tenth of the picture's height has about 20."""
LEARN = 0.1
_MOST_LIGHT = 12.0

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


def small_grey(image: Image) -> Grey:
    """The copy that gates compare, shape (90, 160), softly smoothed."""
    small = cv2.resize(image, SIZE, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.blur(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), (3, 3)), np.uint8)


class ChangeGate:
    """One per execution. Ask `may_skip` for each capture; tell `looked` after each look that was taken."""

    memory_bytes = SIZE[0] * SIZE[1] * 6 + 1024

    def __init__(self, every: int = 10) -> None:
        """every: at least one look in so many captures, ≥ 1."""
        self.every = max(int(every), 1)
        self.skipped = 0
        self.overlooked = 0
        self._since_look = 0
        self._strictness = 1.0
        self._reference: Grey | None = None
        self._previous: Grey | None = None
        self._noise: Floats = np.full((SIZE[1], SIZE[0]), 2.0, np.float32)
        self._was_forced = False

    def may_skip(self, grey: Grey) -> bool:
        """Is this capture so like the last one looked at, on which nothing was found, that no look is needed?"""
        self._since_look += 1
        still = self._reference is not None and not self._differs(grey, self._reference)
        self._learn(grey)
        self._was_forced = still and self._since_look >= self.every
        if not still or self._was_forced:
            return False
        self.skipped += 1
        return True

    def looked(self, grey: Grey, *, is_clear: bool) -> None:
        """A look was taken at this capture. Anything but clear is looked at again next time."""
        if self._was_forced:
            if is_clear:
                self._strictness = min(1.0, self._strictness * 1.02)
            else:
                self.overlooked += 1
                self._strictness = max(0.4, self._strictness * 0.7)
        self._since_look = 0
        self._was_forced = False
        self._reference = grey if is_clear else None

    def _differs(self, grey: Grey, reference: Grey) -> bool:
        light = float(np.clip(cv2.mean(grey)[0] - cv2.mean(reference)[0], -_MOST_LIGHT, _MOST_LIGHT))
        difference = cv2.absdiff(grey.astype(np.float32), reference.astype(np.float32) + np.float32(light))
        limit = np.clip(self._noise * TIMES_NOISE, FLOOR, CEILING) * self._strictness
        together = cv2.boxFilter((difference > limit).astype(np.uint8), -1, (5, 5), normalize=False)
        return int(together.max()) >= TOGETHER

    def _learn(self, grey: Grey) -> None:
        if self._previous is not None:
            moved = cv2.absdiff(grey, self._previous).astype(np.float32)
            cv2.accumulateWeighted(np.minimum(moved, CEILING / TIMES_NOISE), self._noise, LEARN)
        self._previous = grey
