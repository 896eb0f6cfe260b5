"""A scene: a backdrop with actors; one call paints one frame and says what is truly in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.render.actors import Actor, Standing
from demo.render.brush import Rectangle, Stroke
from demo.render.camera import StreetCamera
from demo.render.canvas import Canvas, Pose
from demo.render.furniture import furnish
from demo.render.light import Light
from demo.render.street import Backdrop, Street
from demo.render.water import Puddle

MIN_SIDE = 9.0  # pixels of 640×360 under which an object is marked difficult
MAX_DEPTH = 60.0


@dataclass(frozen=True)
class Truth:
    """What stands in a frame: box x, y, w, h in 0..1 of the frame; difficult = tiny or mostly hidden."""

    label: str
    box: tuple[float, float, float, float]
    difficult: bool

    def as_dict(self) -> dict[str, object]:
        """JSON form."""
        return {
            "label": self.label,
            "box": [round(side, 4) for side in self.box],
            "difficult": self.difficult,
        }


class Scene:
    """A camera on a street with its actors; the same arguments give the same frames."""

    def __init__(
        self,
        street: Street,
        camera: StreetCamera,
        light: Light,
        actors: Sequence[Actor],
        supersample: int = 2,
    ) -> None:
        self.backdrop = Backdrop(street, camera, light, supersample)
        self.actors = list(actors)
        rng = np.random.default_rng(street.seed + 77)
        stage = Canvas(self.backdrop, self.backdrop.image.copy())
        stage.brush.tint = light.tint
        furnish(stage, rng)
        self.backdrop.image = stage.brush.image
        self.backdrop.image = _darken(stage.brush.image, stage.shadow, light.shadow)
        spare = rng.standard_normal((camera.frame_height + 64, camera.width + 64)) * light.noise
        chroma = rng.standard_normal((*spare.shape, 3)) * light.noise * 0.35
        grain = spare[..., None] + chroma
        self._brighter = np.clip(np.round(grain), 0, 60).astype(np.uint8)
        self._darker = np.clip(np.round(-grain), 0, 60).astype(np.uint8)
        self._seed = street.seed
        self._kept: dict[int, tuple[tuple[Pose, float], list[Stroke], Rectangle | None]] = {}

    def frame(self, time: float, index: int = 0) -> tuple[NDArray[np.uint8], list[Truth]]:
        """The frame (360, 640, 3) uint8 BGR at ``time`` seconds and its truth; ``index`` picks the sensor noise."""
        image = self.backdrop.image.copy()
        canvas = Canvas(self.backdrop, image)
        placed = self._placed(time, canvas)
        for _, actor, pose in placed:
            actor.cast(canvas, pose, time)
        shadow_done = False
        boxes: list[tuple[str, Rectangle]] = []
        for flat, actor, pose in placed:
            if not flat and not shadow_done:
                canvas.brush.image[:] = _darken(image, canvas.shadow, self.backdrop.light.shadow)
                shadow_done = True
            canvas.brush.reset()
            canvas.brush.tint = canvas.light_at(pose.u, pose.v)
            box = self._draw(canvas, actor, pose, time)
            if box is not None:
                boxes.append((actor.label, box))
        return self._grain(image, index), self._truth(boxes)

    def _draw(self, canvas: Canvas, actor: Actor, pose: Pose, time: float) -> Rectangle | None:
        """Draws the actor, from the strokes of the last frame where nothing about it has changed."""
        if not isinstance(actor, Standing) or isinstance(actor.thing, Puddle):
            actor.draw(canvas, pose, time)
            return canvas.brush.box()
        state = (pose, actor.amount(time))
        kept = self._kept.get(id(actor))
        if kept is not None and kept[0] == state:
            canvas.brush.repeat(kept[1])
            return kept[2]
        actor.draw(canvas, pose, time)
        box = canvas.brush.box()
        self._kept[id(actor)] = (state, canvas.brush.strokes, box)
        return box

    def _placed(self, time: float, canvas: Canvas) -> list[tuple[bool, Actor, Pose]]:
        found = []
        for actor in self.actors:
            pose = actor.pose(time)
            if pose is None:
                continue
            depth = float(canvas.camera.depth(np.array([[pose.u, pose.v, 0.0]]))[0])
            if 1.5 < depth < MAX_DEPTH:
                flat = isinstance(getattr(actor, "thing", None), Puddle)
                found.append((flat, depth, actor, pose))
        found.sort(key=lambda item: (not item[0], -item[1]))
        return [(flat, actor, pose) for flat, _, actor, pose in found]

    def _grain(self, image: NDArray[np.uint8], index: int) -> NDArray[np.uint8]:
        height, width = image.shape[:2]
        y, x = (index * 37 + self._seed) % 64, (index * 23 + self._seed * 3) % 64
        bright = self._brighter[y : y + height, x : x + width]
        dark = self._darker[y : y + height, x : x + width]
        return np.asarray(cv2.subtract(cv2.add(image, bright), dark), np.uint8)

    def _truth(self, boxes: list[tuple[str, Rectangle]]) -> list[Truth]:
        camera = self.backdrop.camera
        size = np.array([camera.width, camera.frame_height], float)
        found: list[Truth] = []
        for number, (label, (x0, y0, x1, y1)) in enumerate(boxes):
            low, high = np.clip([x0, y0], 0, size), np.clip([x1, y1], 0, size)
            if not label:
                continue
            w, h = float(high[0] - low[0]), float(high[1] - low[1])
            whole = max(1e-6, (x1 - x0) * (y1 - y0))
            if w < 3 or h < 3 or w * h / whole < 0.02:
                continue
            hidden = max(
                (_cover((*low, *high), other) for name, other in boxes[number + 1 :] if name != "water"),
                default=0.0,
            )
            if hidden > 0.96:
                continue
            hard = min(w, h) < MIN_SIDE or w * h / whole < 0.45 or hidden > 0.6
            box = (float(low[0] / size[0]), float(low[1] / size[1]), w / float(size[0]), h / float(size[1]))
            found.append(Truth(label, box, bool(hard)))
        return found


def _cover(box: tuple[float, ...], other: tuple[float, float, float, float]) -> float:
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / max(1e-6, (box[2] - box[0]) * (box[3] - box[1]))


def _darken(image: NDArray[np.uint8], shadow: NDArray[np.uint8], strength: float) -> NDArray[np.uint8]:
    if not shadow.any():
        return image
    soft = cv2.blur(shadow, (3, 3))
    keep = cv2.convertScaleAbs(soft, alpha=-strength, beta=0)
    return np.asarray(cv2.multiply(image, cv2.merge([255 - keep] * 3), scale=1 / 255), np.uint8)
