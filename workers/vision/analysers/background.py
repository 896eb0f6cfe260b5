"""A background model in seconds, not frames: the same for 25 pictures a second and for one every 20 s.

Two layers per pixel of a small picture (at most 240 across), as dual-background methods keep them (Porikli et
al., "Robust detection of abandoned and removed objects in complex surveillance videos", EURASIP 2008):
`ground`, what the place looks like, and `candidate`, what has been seen there instead, with the seconds it
has stayed the same (`age`). A pixel is foreground where it differs from the ground. `counted` and `wobble`
say how often a candidate was met again and how much it changed from one picture to the next on average;
`noise` is the same for the quiet part of the picture.

A small change of light is fitted to the background by one gain and offset per channel; after a jump of the
mean brightness, or when still more than `CHANGED_SHARE` of the picture differs, the model learns anew.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from workers.vision.frames import Image
from workers.vision.outcomes import NotAnalysed, Reason

WIDTH = 240
CHANGED_SHARE = 0.4
CHANGED_LEVEL = 30.0
"""Jump of the mean brightness (0..255) that no thing in front of a camera explains: a lamp, infrared to day."""
LEARN_SAMPLES = 3
LEARN_SECONDS = 2.0
DRIFT_SECONDS = 60.0
"""Time constant with which the background follows slow changes where nothing is in front of it."""

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


class BackgroundModel:
    """Feed pictures with `update`; then read `foreground`, `age`, `ghostly` and friends (height × width)."""

    def __init__(self, sensitivity: float = 0.5) -> None:
        self.threshold = 40.0 - 30.0 * min(max(sensitivity, 0.0), 1.0)
        self.time: datetime | None = None
        self.ready = False
        self.ground: Floats
        self._learn_until: datetime | None = None
        self._samples: list[Floats] = []
        self._last_samples: list[datetime] = []

    memory_bytes = WIDTH * 180 * (3 * 4 * 3 + 2 * 4 + 2) + 64 * 1024

    def update(self, image: Image, time: datetime) -> None:
        """Take in one picture; raises `NotAnalysed` (learning, scene_change) while there is no background."""
        picture = shrink(image)
        if self.ready and picture.shape != self.ground.shape and _nearly(picture.shape, self.ground.shape):
            # The same view decoded at a reduced size may round to a pixel more or less.
            picture = cv2.resize(picture, (self.ground.shape[1], self.ground.shape[0])).astype(np.float32)
        if not self.ready or self.ground.shape != picture.shape:
            self._learn(picture, time)
            raise NotAnalysed(Reason.LEARNING, "the background is being learnt")
        seconds = max((time - self.time).total_seconds(), 0.0) if self.time else 0.0
        self.time = time
        fitted = self._fit_light(picture)
        self.foreground = _clean(difference(fitted, self.ground) > self.threshold)
        level = float(picture.mean())
        if abs(level - self._level) > CHANGED_LEVEL or float(self.foreground.mean()) > CHANGED_SHARE:
            self.forget()
            self._learn(picture, time)
            raise NotAnalysed(Reason.SCENE_CHANGE, "the light or the view changed; learning anew")
        self.picture = fitted
        self._level += (1.0 - float(np.exp(-seconds / DRIFT_SECONDS))) * (level - self._level)
        self._follow(fitted, seconds)

    def forget(self) -> None:
        self.ready = False
        self._samples.clear()
        self._last_samples.clear()

    def absorb(self, region: Bools) -> None:
        """Take what is now seen in the region as background."""
        if self.ready:
            self.ground[region] = self.picture[region]
            self.age[region] = 0.0
            self.foreground[region] = False

    def _learn(self, picture: Floats, time: datetime) -> None:
        """The median of pictures over at least `LEARN_SECONDS` and `LEARN_SAMPLES` becomes the background.

        A picture unlike the one before starts over: the light must have settled first.
        """
        if self._samples and (
            self._samples[-1].shape != picture.shape
            or float((difference(picture, self._samples[-1]) > self.threshold).mean()) > 0.25
            or abs(float(picture.mean() - self._samples[0].mean())) > 12.0
        ):
            self.forget()
        if not self._last_samples or (time - self._last_samples[-1]).total_seconds() >= 0.3:
            self._samples.append(picture)
            self._last_samples.append(time)
        if len(self._samples) > 15:
            del self._samples[1], self._last_samples[1]
        self.time = time
        learnt = (time - self._last_samples[0]).total_seconds() >= LEARN_SECONDS
        if learnt and len(self._samples) >= LEARN_SAMPLES:
            self.ready = True
            self.ground = np.median(np.stack(self._samples), axis=0).astype(np.float32)
            self._samples.clear()
            self._last_samples.clear()
            self._level = float(self.ground.mean())
            self.picture = self.previous = picture
            self.candidate = self.ground.copy()
            self.age = np.zeros(picture.shape[:2], np.float32)
            self.missed = np.zeros(picture.shape[:2], np.float32)
            self.wobble = np.zeros(picture.shape[:2], np.float32)
            self.counted = np.zeros(picture.shape[:2], np.float32)
            self.noise = 0.0
            self.foreground = np.zeros(picture.shape[:2], np.bool_)

    def _fit_light(self, picture: Floats) -> Floats:
        """One gain and offset per channel that bring the quiet part of the picture to the background."""
        quiet = ~self.foreground
        if int(quiet.sum()) < quiet.size // 3:
            return picture
        rows, columns = np.nonzero(quiet[::3, ::3])
        seen, known = picture[::3, ::3][rows, columns], self.ground[::3, ::3][rows, columns]
        fitted = picture
        for channel in range(3):
            gain, offset = _robust_line(seen[:, channel], known[:, channel])
            if abs(gain - 1.0) > 0.01 or abs(offset) > 1.0:
                fitted = picture.copy() if fitted is picture else fitted
                fitted[:, :, channel] = picture[:, :, channel] * gain + offset
        return fitted

    def _follow(self, picture: Floats, seconds: float) -> None:
        foreground = self.foreground
        rate = np.float32(1.0 - np.exp(-seconds / DRIFT_SECONDS))
        quiet = ~foreground
        moved = difference(picture, self.previous)
        self.previous = picture
        self.ground[quiet] += rate * (picture[quiet] - self.ground[quiet])
        same = foreground & (difference(picture, self.candidate) <= self.threshold)
        self.age[same] += np.float32(seconds)
        self.counted[same] += 1.0
        self.wobble[same] += (np.minimum(moved[same], self.threshold) - self.wobble[same]) / self.counted[
            same
        ]
        if quiet.any():
            self.noise += 0.2 * (float(np.median(moved[quiet])) - self.noise)
        self.missed[same] = 0.0
        other = ~same
        self.missed[other] += np.float32(seconds)
        # An old candidate is kept through a short cover (somebody walks by), a young one is not.
        lost = other & (self.missed > np.minimum(self.age * 0.3, 20.0))
        self.candidate[lost] = picture[lost]
        self.age[lost] = 0.0
        self.missed[lost] = 0.0
        self.counted[lost] = 0.0
        self.wobble[lost] = 0.0


def shrink(image: Image) -> Floats:
    """At most `WIDTH` across, smoothed, float32 BGR 0..255."""
    height, width = image.shape[:2]
    scale = min(WIDTH / width, 1.0)
    size = (max(int(width * scale), 8), max(int(height * scale), 8))
    small = image if scale >= 1.0 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (5, 5), 0).astype(np.float32)


def difference(first: Floats, second: Floats) -> Floats:
    """Largest difference of the three channels per pixel."""
    blue, green, red = cv2.split(cv2.absdiff(first, second))
    return np.asarray(cv2.max(cv2.max(blue, green), red), np.float32)


def likeness(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> float:
    """Normalised cross-correlation of two patches of grey, -1..1; 0 where one of them is flat."""
    a, b = first - first.mean(), second - second.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm > 1e-3 * max(a.size, 1) else 0.0


def _nearly(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    return all(abs(a - b) <= 2 for a, b in zip(first, second, strict=True))


def _robust_line(seen: Floats, known: Floats) -> tuple[float, float]:
    """Least squares twice, the second time without the outliers of the first; gain kept in 0.6..1.6."""
    keep = np.ones(len(seen), np.bool_)
    gain, offset = 1.0, 0.0
    for _ in range(2):
        x, y = seen[keep], known[keep]
        spread = float(x.var())
        gain = float(((x - x.mean()) * (y - y.mean())).mean()) / spread if spread > 4.0 else 1.0
        gain = min(max(gain, 0.6), 1.6)
        offset = float(y.mean()) - gain * float(x.mean())
        error = np.abs(seen * gain + offset - known)
        keep = error <= max(3.0 * float(np.median(error)), 4.0)
    return gain, offset


def _clean(mask: Bools) -> Bools:
    """Without specks, with small holes closed."""
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    return closed.astype(np.bool_)
