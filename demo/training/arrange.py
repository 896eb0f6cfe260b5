"""Random streets with random arrangements of actors: the data the detector learns from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from demo.render.actors import Actor, Route, Standing, Vehicle, Walker
from demo.render.camera import StreetCamera
from demo.render.canvas import Canvas, Pose
from demo.render.furniture import plant_tree, put_bench, put_bin, put_bollards, put_sign
from demo.render.light import LIGHTS
from demo.render.people import Figure
from demo.render.props import Bag, Rubbish, Stall
from demo.render.scene import Scene
from demo.render.street import Street
from demo.render.vehicles import Body
from demo.render.water import Puddle

_LOOP = 1000.0
_FARTHEST = {"person": 42.0, "bag": 19.0, "garbage": 26.0, "stall": 34.0, "water": 26.0}


def random_scene(seed: int) -> Scene:
    """An empty street seen by a random camera; equal seeds give equal scenes."""
    rng = np.random.default_rng(seed)
    near = float(rng.uniform(3.5, 14))
    street = Street(
        seed=seed,
        near=near,
        road=float(rng.uniform(6, 13)),
        far=float(rng.uniform(3.5, 8)),
        lanes=int(rng.choice([2, 2, 4])),
        crossing=float(rng.uniform(-6, 8)) if rng.random() < 0.25 else None,
        lawn=bool(rng.random() < 0.25),
    )
    camera = StreetCamera(
        v=-near - float(rng.uniform(-0.5, 0.8)),
        height=float(rng.uniform(4.4, 7.6)),
        yaw=float(rng.uniform(38, 142)),
        pitch=float(rng.uniform(16, 26)),
        fov=float(rng.uniform(54, 70)),
    )
    light = LIGHTS[str(rng.choice(list(LIGHTS), p=[0.28, 0.22, 0.22, 0.14, 0.14]))]
    return Scene(street, camera, light, [], supersample=1)


@dataclass
class Distractor:
    """Street furniture at a random place: it must not be taken for anything."""

    place: Pose
    put: Callable[[Canvas, float, float], None]
    label: str = ""

    def pose(self, time: float) -> Pose | None:
        """See Actor."""
        return self.place

    def cast(self, canvas: Canvas, pose: Pose, time: float) -> None:
        """See Actor; furniture casts its shadow when it is drawn."""

    def draw(self, canvas: Canvas, pose: Pose, time: float) -> None:
        """See Actor."""
        self.put(canvas, pose.u, pose.v)


_FURNITURE: tuple[Callable[[Canvas, float, float], None], ...] = (
    lambda canvas, u, v: put_bin(canvas, u, v, True),
    lambda canvas, u, v: put_bin(canvas, u, v, False),
    put_bench,
    put_sign,
    lambda canvas, u, v: put_bollards(canvas, v, u, 3),
    lambda canvas, u, v: plant_tree(canvas, np.random.default_rng(int(u * 50 + 5000)), u, v),
)


def arrange(scene: Scene, rng: np.random.Generator) -> list[Actor]:
    """Actors for one picture, placed where such things are found and apart from one another."""
    taken: list[tuple[float, float, float]] = []
    actors: list[Actor] = []
    for _ in range(int(rng.choice([0, 1, 1, 2, 3]))):
        actors += _vehicle(scene, rng, taken)
    for _ in range(int(rng.choice([0, 1, 2, 3]))):
        spot = _spot(scene, rng, 34.0)
        if spot is not None and _free(taken, *spot, 0.8):
            taken.append((*spot, 0.8))
            actors.append(Distractor(Pose(*spot), _FURNITURE[int(rng.integers(len(_FURNITURE)))]))
    for kind, chance in (("stall", 0.42), ("garbage", 0.5), ("water", 0.42), ("bag", 0.6), ("bag", 0.3)):
        if rng.random() < chance:
            actors += _standing(scene, rng, taken, kind)
    for _ in range(int(rng.integers(0, 7))):
        actors += _person(scene, rng)
    return actors


def _spot(scene: Scene, rng: np.random.Generator, farthest: float) -> tuple[float, float] | None:
    for _ in range(12):
        try:
            u, v = scene.backdrop.camera.ground(float(rng.uniform(0.02, 0.98)), float(rng.uniform(0.2, 0.99)))
        except ValueError:
            continue
        depth = float(scene.backdrop.camera.depth(np.array([[u, v, 0.0]]))[0])
        if depth < farthest and v < scene.backdrop.street.far_edge - 0.4:
            return u, v
    return None


def _free(taken: list[tuple[float, float, float]], u: float, v: float, radius: float) -> bool:
    return all(np.hypot(u - x, v - y) > radius + r for x, y, r in taken)


def _person(scene: Scene, rng: np.random.Generator) -> list[Actor]:
    spot = _spot(scene, rng, _FARTHEST["person"])
    if spot is None:
        return []
    u, v = spot
    angle = (
        float(rng.choice([0.0, np.pi])) + float(rng.normal(0, 0.4))
        if rng.random() < 0.7
        else float(rng.uniform(0, 6.28))
    )
    du, dv = 6 * np.cos(angle), 6 * np.sin(angle)
    step = float(rng.uniform(0, 1))
    route = Route(((-5 - step, u - du * (1 + step / 5), v - dv * (1 + step / 5)), (5, u + du, v + dv)), _LOOP)
    if rng.random() < 0.25:
        route = Route(((-5, u, v), (5, u, v)), _LOOP)
    carries = bool(rng.random() < 0.15)
    bend = float(rng.uniform(0, 1)) if rng.random() < 0.12 else 0.0
    walker = Walker(
        Figure.random(rng, vest=bool(rng.random() < 0.06)), route, Bag.random(rng), lambda time: carries
    )
    walker.bends = lambda time: bend
    return [walker]


def _vehicle(scene: Scene, rng: np.random.Generator, taken: list[tuple[float, float, float]]) -> list[Actor]:
    street = scene.backdrop.street
    lane = street.road / street.lanes
    for _ in range(6):
        number = int(rng.integers(street.lanes))
        v = (number + 0.5) * lane + float(rng.normal(0, 0.2))
        u = float(rng.uniform(-32, 32))
        if not _free(taken, u, v, 3.2):
            continue
        taken.append((u, v, 2.4))
        way = 1.0 if v < street.road / 2 else -1.0
        tilt = float(rng.normal(0, 0.05)) if rng.random() < 0.85 else float(rng.uniform(-1.5, 1.5))
        ends = (
            (-5.0, u - way * 20 * np.cos(tilt), v - 20 * np.sin(tilt)),
            (5.0, u + way * 20 * np.cos(tilt), v + 20 * np.sin(tilt)),
        )
        return [Vehicle(Body.random(rng), Route(ends, _LOOP))]
    return []


def _standing(
    scene: Scene, rng: np.random.Generator, taken: list[tuple[float, float, float]], kind: str
) -> list[Actor]:
    radius = {"bag": 0.5, "garbage": 0.9, "stall": 1.5, "water": 1.8}[kind]
    spot = _spot(scene, rng, _FARTHEST[kind])
    if spot is None or not _free(taken, *spot, radius):
        return []
    taken.append((*spot, radius))
    pose = Pose(*spot, float(rng.uniform(-1.6, 1.6)) if kind != "stall" else float(rng.normal(0, 0.3)))
    amount = 1.0
    thing: Bag | Rubbish | Stall | Puddle
    if kind == "bag":
        thing = Bag.random(rng)
    elif kind == "garbage":
        thing = Rubbish.random(rng, int(rng.integers(9, 24)), float(rng.uniform(0.45, 0.85)))
        amount = float(rng.uniform(0.4, 1.0))
    elif kind == "stall":
        thing = Stall.random(rng)
        amount = 1.0 if rng.random() < 0.7 else float(rng.uniform(0.1, 1.0))
    else:
        thing = Puddle.random(rng, float(rng.uniform(1.0, 2.3)))
        amount = float(rng.uniform(0.4, 1.0))
    return [Standing(thing, pose, lambda time: amount)]
