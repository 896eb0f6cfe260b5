"""left-object: things that were not there, and now stand still.

Works on snapshots every 1–20 s as on video (background.py counts in seconds). A standing thing is a connected
piece of foreground that
- has not changed since it came, its outline included (a person who stands still does not manage that),
- looks different from the background in its texture (a shadow or a lamp does not),
- has its outline in the picture and not in the background (else something was *taken away*: the uncovered
  ground becomes background).
A thing that was seen standing keeps its track and its box, also while somebody walks in front of it, until its
pixels look like the background again. Its attribute `standing_s` says for how long it has been there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import cv2
import numpy as np
import numpy.typing as npt

from workers.vision.analysers.background import BackgroundModel, Bools, Floats, likeness
from workers.vision.analysers.base import AnalyserSettings, analysers
from workers.vision.analysers.blobs import Blob, blobs
from workers.vision.detections import Box, Detection, iou
from workers.vision.frames import Image
from workers.vision.geometry import rasterise
from workers.vision.outcomes import NotAnalysed

STILL_SHARE = 0.75
SAME_TEXTURE = 0.75
GONE_SHARE = 0.5
MAX_AREA = 0.25
MIN_STEP_SECONDS = 0.2
MAX_THINGS = 50


@dataclass
class _Thing:
    track: int
    box: Box
    mask: Bools
    seconds: float


class LeftObjectAnalyser:
    """Parameters: dwell (s, 30), sensitivity (0..1, 0.5), min_size (shorter side, share of the frame, 0.02)."""

    labels = ("object",)
    memory_bytes = BackgroundModel.memory_bytes + MAX_THINGS * 240 * 135

    def __init__(self, settings: AnalyserSettings) -> None:
        self.dwell = settings.number("dwell", 30.0)
        self.min_side = max(settings.number("min_size", 0.0), 0.02)
        self.model = BackgroundModel(settings.number("sensitivity", 0.5))
        self._shapes = settings.shapes
        self._ignored: Bools | None = None
        self._things: list[_Thing] = []
        self._last: datetime | None = None
        self._answer: list[Detection] = []
        self._tracks = 0

    def step(self, image: Image, time: datetime) -> list[Detection]:
        if self._last and (time - self._last).total_seconds() < MIN_STEP_SECONDS and self._ready:
            return self._answer
        seconds = (time - self._last).total_seconds() if self._last else 0.0
        self._last = time
        try:
            self.model.update(image, time)
        except NotAnalysed:
            self._things.clear()
            raise
        self._keep_known(seconds)
        self._find_new()
        self._answer = [self._detection(thing) for thing in self._things]
        return self._answer

    @property
    def _ready(self) -> bool:
        return self.model.ready

    def _keep_known(self, seconds: float) -> None:
        """Known things age, or go when their pixels are background again."""
        for thing in self._things:
            thing.seconds += seconds
        self._things = [
            thing for thing in self._things if float(self.model.foreground[thing.mask].mean()) >= GONE_SHARE
        ]

    def _find_new(self) -> None:
        ripe_after = max(min(self.dwell * 0.8, self.dwell - 1.0), 0.5)
        for blob in blobs(self._candidates(), self.min_side**2 * 0.5, MAX_AREA):
            ripe = self.model.age[blob.mask] >= ripe_after
            if min(blob.box[2:]) < self.min_side or float(ripe.mean()) < STILL_SHARE:
                continue
            if not self._still(blob):
                continue
            if any(iou(thing.box, blob.box) > 0.3 for thing in self._things):
                continue
            if self._same_texture(blob) or self._taken_away(blob):
                self.model.absorb(cv2.dilate(blob.mask.astype(np.uint8), np.ones((5, 5))).astype(np.bool_))
            elif len(self._things) < MAX_THINGS:
                self._tracks += 1
                seconds = float(np.median(self.model.age[blob.mask]))
                self._things.append(_Thing(self._tracks, blob.box, blob.mask, seconds))

    def _candidates(self) -> Bools:
        foreground = self.model.foreground
        if self._ignored is None or self._ignored.shape != foreground.shape:
            height, width = foreground.shape
            self._ignored = rasterise(self._shapes.masks, width, height)
        return foreground & ~self._ignored

    def _still(self, blob: Blob) -> bool:
        """Does its outline keep as still as the rest of the picture? People who stand do not."""
        rim = _rim(blob) & blob.mask
        young = float((self.model.counted[rim] < 2).mean())
        restless = float(np.percentile(self.model.wobble[rim], 90))
        return young <= 0.2 and restless <= 2.0 * self.model.noise + 3.0

    def _same_texture(self, blob: Blob) -> bool:
        """Is it the same ground in another light?"""
        y0, y1, x0, x1 = _window(blob.mask, 1)
        now, before = _grey(self.model.picture)[y0:y1, x0:x1], self._ground()[y0:y1, x0:x1]
        inside = blob.mask[y0:y1, x0:x1]
        return likeness(now[inside], before[inside]) > SAME_TEXTURE

    def _taken_away(self, blob: Blob) -> bool:
        """Along the outline: are the edges in the background rather than in the picture?"""
        rim = _rim(blob)
        now, before = _edges(_grey(self.model.picture))[rim], _edges(self._ground())[rim]
        return float(before.mean()) > float(now.mean()) * 1.1

    def _ground(self) -> Floats:
        return _grey(self.model.ground)

    def _detection(self, thing: _Thing) -> Detection:
        score = min(0.5 + thing.seconds / max(self.dwell, 1.0) / 4.0, 0.99)
        return Detection("object", score, thing.box, 0, thing.track, {"standing_s": round(thing.seconds, 3)})


def _rim(blob: Blob) -> Bools:
    shape = blob.mask.astype(np.uint8)
    return cv2.morphologyEx(shape, cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8)).astype(np.bool_)


def _grey(picture: Floats) -> Floats:
    grey: Floats = picture.mean(axis=2, dtype=np.float32)
    return grey


def _edges(grey: Floats) -> npt.NDArray[np.float32]:
    return np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)).astype(np.float32)


def _window(mask: Bools, margin: int) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        max(int(rows[0]) - margin, 0),
        int(rows[-1]) + margin + 1,
        max(int(columns[0]) - margin, 0),
        int(columns[-1]) + margin + 1,
    )


analysers.register("left-object")(LeftObjectAnalyser)
