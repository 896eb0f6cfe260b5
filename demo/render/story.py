"""What a clip is: a scene, its length, the faults of its camera and the facts a test may rely on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.render.camera import StreetCamera
from demo.render.overlay import burn_clock, clock_start
from demo.render.scene import Scene, Truth
from demo.render.street import Street

FPS = 12
Polygon = list[list[float]]


@dataclass(frozen=True)
class Happening:
    """Something a clip shows between two of its seconds; ``kind`` is a detection item's or a health code."""

    kind: str
    start: float
    end: float

    def as_dict(self) -> dict[str, object]:
        """JSON form."""
        return {"kind": self.kind, "start": self.start, "end": self.end}


@dataclass(frozen=True)
class Story:
    """One named clip of ``seconds``; dark and frozen are intervals of the loop."""

    name: str
    title: dict[str, str]
    caption: str
    seconds: int
    build: Callable[[int], Scene]
    happenings: tuple[Happening, ...] = ()
    dark: tuple[float, float] | None = None
    frozen: tuple[float, float] | None = None
    clock: tuple[int, int] = (9, 30)
    offline: bool = False
    zones: tuple[str, ...] = field(default=())

    def frames(self) -> Iterator[tuple[NDArray[np.uint8], list[Truth]]]:
        """Every frame of the clip in order with its truth: (360, 640, 3) uint8 BGR, 12 per second."""
        scene = self.build(2)
        start = clock_start(*self.clock)
        last: tuple[NDArray[np.uint8], list[Truth]] | None = None
        for index in range(self.seconds * FPS):
            time = index / FPS
            if self.frozen and self.frozen[0] <= time < self.frozen[1] and last is not None:
                yield last
                continue
            last = self._frame(scene, time, index, start)
            yield last

    def _frame(
        self, scene: Scene, time: float, index: int, start: datetime
    ) -> tuple[NDArray[np.uint8], list[Truth]]:
        image, truth = scene.frame(time, index)
        if self.dark and self.dark[0] <= time < self.dark[1]:
            left = max(0.02, 1.0 - (time - self.dark[0]) / 1.0)
            image = np.asarray(cv2.convertScaleAbs(image, alpha=left), np.uint8)
            truth = truth if left > 0.5 else []
        burn_clock(image, self.caption, start, time)
        return image, truth

    def polygons(self) -> dict[str, Polygon]:
        """The named zones ("road", "near", "far") as closed rings of 0..1 picture coordinates."""
        backdrop = self.build(1).backdrop
        return {zone: zone_polygon(backdrop.street, backdrop.camera, zone) for zone in self.zones}


def zone_polygon(street: Street, camera: StreetCamera, zone: str) -> Polygon:
    """The part of the picture that shows the road or a pavement, simplified to a few corners."""
    rays = camera.rays()
    down = rays[..., 2] < -0.02
    reach = np.where(down, -camera.height / np.where(down, rays[..., 2], -1.0), 0.0)
    v = camera.v + reach * rays[..., 1]
    low, high = {
        "road": (0.15, street.road - 0.15),
        "near": (-street.near, -0.1),
        "far": (street.road + 0.1, street.far_edge),
    }[zone]
    mask = (down & (v > low) & (v < high) & (np.abs(reach * rays[..., 0]) < 60)).astype(np.uint8)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outline = max(outlines, key=cv2.contourArea)
    corners = cv2.approxPolyDP(outline, 2.5, closed=True).reshape(-1, 2)
    points = [
        [round(float(x) / camera.width, 4), round(float(y) / camera.frame_height, 4)] for x, y in corners
    ]
    return [*points, points[0]]
