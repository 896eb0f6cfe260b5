"""The scripts of the clips: who comes when, and what stays behind."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from demo.render.actors import Actor, Route, Standing, Walker, ramp
from demo.render.camera import StreetCamera
from demo.render.canvas import Pose
from demo.render.extras import passers, traffic
from demo.render.light import LIGHTS
from demo.render.people import Figure
from demo.render.props import Bag, Rubbish, Stall
from demo.render.scene import Scene
from demo.render.street import Street
from demo.render.water import Puddle

Amount = Callable[[float], float]


def _visit(
    figure: Figure, loop: float, start: float, place: tuple[float, float], stays: float, way: float,
    reach: float = 16.0, back: bool = False,
) -> Walker:  # fmt: skip
    """Somebody walks to a place, stays there and walks on (or back); ``start`` is the arrival."""
    u, v = place
    walk = reach / 1.45
    points = (
        (start - walk, u - way * reach, v - 0.6),
        (start, u, v),
        (start + stays, u, v),
        (start + stays + walk, u + (-way if back else way) * reach, v - 0.5),
    )
    return Walker(Figure.random(np.random.default_rng(int(start * 10) + 5)), Route(points, loop))


def _bending(walker: Walker, start: float, end: float) -> Walker:
    middle, half = (start + end) / 2, (end - start) / 2
    walker.bends = lambda time: max(0.0, 1.0 - abs(time - middle) / half)
    return walker


def bag_left(supersample: int) -> Scene:
    """A traveller puts a bag down at 12 s, leaves, and fetches it at 53 s."""
    loop, rng = 60.0, np.random.default_rng(11)
    street = Street(104, near=13, road=7, far=5)
    camera = StreetCamera(v=-13.5, height=5.2, yaw=84, pitch=20)
    place = camera.ground(0.46, 0.66)
    bag = Bag((0.78, 0.42, 0.55), (42, 44, 176), wheeled=False)
    walk = 9.0 / 1.45
    points = ((11 - walk, place[0] - 9, place[1] - 1), (11, place[0] - 0.3, place[1]), (13, place[0] - 0.3, place[1]),
              (13 + walk, place[0] + 10, place[1] + 1.5))  # fmt: skip
    owner = Walker(
        Figure.random(np.random.default_rng(2)), Route(points, loop), bag, lambda time: time < 12.2
    )
    _bending(owner, 11.2, 13.0)
    beside = (place[0] + 0.3, place[1])
    again = ((52 - walk, place[0] + 10, place[1] + 1.5), (52, *beside), (53.5, *beside),
             (53.5 + 6.2, place[0] - 9, place[1] - 1))  # fmt: skip
    fetcher = Walker(owner.figure, Route(again, loop), bag, lambda time: time >= 52.8)
    _bending(fetcher, 52.0, 53.5)
    left = Standing(bag, Pose(*place, 0.25), lambda time: 1.0 if 12.2 <= time < 52.8 else 0.0)
    people = passers(rng, loop, [(8.0, 11.0), (-1.6, -0.8)], 7, 24)
    return Scene(
        street,
        camera,
        LIGHTS["noon"],
        [owner, fetcher, left, *people, *traffic(rng, street, loop, 5)],
        supersample,
    )


def garbage_pile(supersample: int) -> Scene:
    """Three people drop rubbish at 9, 17 and 27 s; a cleaner clears it at 64 s."""
    loop, rng = 72.0, np.random.default_rng(12)
    street = Street(211, near=9, road=7.5, far=4.5)
    camera = StreetCamera(v=-9.5, height=5.0, yaw=66, pitch=21)
    place = camera.ground(0.58, 0.72)
    heap = Rubbish.random(np.random.default_rng(4), 20, 0.7)

    def amount(time: float) -> float:
        if time >= 64:
            return 1.0 - ramp(time, 64, 67)
        return 0.45 * (time >= 9.0) + 0.25 * (time >= 17.5) + 0.3 * (time >= 27)

    beside = (place[0] + 1.0, place[1] - 0.4)
    carriers = [
        _bending(_visit(Figure.random(rng), loop, at, beside, 1.6, way, back=True), at + 0.1, at + 1.6)
        for at, way in ((8.4, 1.0), (16.8, -1.0), (26.2, 1.0))
    ]
    cleaner = _visit(Figure.random(rng), loop, 63.5, beside, 4.0, -1.0, reach=6.0)
    cleaner.figure = Figure.random(np.random.default_rng(9), vest=True)
    _bending(cleaner, 63.8, 67.2)
    actors: list[Actor] = [*carriers, cleaner, Standing(heap, Pose(*place, 0.4), amount)]
    people = passers(rng, loop, [(8.4, 10.5)], 4)
    return Scene(
        street, camera, LIGHTS["morning"], [*actors, *people, *traffic(rng, street, loop, 5)], supersample
    )


def street_stall(supersample: int) -> Scene:
    """A vendor pushes a stall in until 9 s, opens it, sells, and goes at 65 s."""
    loop, rng = 72.0, np.random.default_rng(13)
    street = Street(311, near=10, road=8, far=5)
    camera = StreetCamera(v=-10.5, height=5.4, yaw=112, pitch=20)
    u, v = camera.ground(0.46, 0.70)
    stall = Stall.random(np.random.default_rng(21))
    route = Route(((1.0, u - 11, v), (9.0, u, v), (65.0, u, v), (71.5, u + 11, v)), loop)
    pushed = Route(((1.0, u - 12.6, v), (9.0, u - 1.6, v), (65.0, u - 1.6, v), (71.5, u + 9.4, v)), loop)

    def opened(time: float) -> float:
        return 0.12 + 0.88 * (ramp(time, 9.5, 12.5) - ramp(time, 61, 64.5))

    cart = Standing(stall, Pose(u, v), opened, route)
    vendor = Walker(Figure.random(np.random.default_rng(33)), pushed)
    buyers = [_visit(Figure.random(rng), loop, at, (u + du, v - 1.1), 7.0, way) for at, du, way in
              ((18.0, 0.3, 1.0), (29.0, -0.6, -1.0), (41.0, 0.5, 1.0))]  # fmt: skip
    people = passers(rng, loop, [(9.0, 11.6)], 5)
    actors: list[Actor] = [cart, vendor, *buyers, *people]
    return Scene(street, camera, LIGHTS["overcast"], [*actors, *traffic(rng, street, loop, 5)], supersample)


def intrusion(supersample: int) -> Scene:
    """Somebody steps on the carriageway at 13 s, wanders about on it and leaves at 30 s."""
    loop, rng = 60.0, np.random.default_rng(14)
    street = Street(412, near=4.5, road=8.5, far=4, lawn=True)
    camera = StreetCamera(v=-5.0, height=6.0, yaw=52, pitch=20)
    u, _ = camera.ground(0.5, 0.6)
    points = ((3.0, u - 14, -1.8), (12.4, u - 1, -1.6), (14.5, u, 1.6), (19.0, u + 4, 2.4), (22.5, u + 3, 2.2),
              (27.0, u + 7, 2.0), (30.0, u + 9, -1.4), (41.0, u + 25, -1.8))  # fmt: skip
    wanderer = Walker(Figure.random(np.random.default_rng(5)), Route(points, loop))
    cars = [car for car in traffic(rng, street, loop, 6) if not _on_road(car, street, 9.0, 32.0)]
    return Scene(street, camera, LIGHTS["noon"], [wanderer, *cars], supersample)


def _on_road(car: Actor, street: Street, start: float, end: float) -> bool:
    """Whether a near-lane vehicle passes the middle of the street inside the interval."""
    poses = [pose for pose in (car.pose(float(t)) for t in np.arange(start, end, 0.5)) if pose is not None]
    return any(pose.v < street.road / 2 and abs(pose.u) < 30 for pose in poses)


def road_water(supersample: int) -> Scene:
    """Water spreads over the near lane from 8 s to 24 s and drains at 62 s."""
    loop, rng = 72.0, np.random.default_rng(15)
    street = Street(515, near=4, road=8, far=4)
    camera = StreetCamera(v=-4.5, height=5.8, yaw=66, pitch=21)
    u, v = camera.ground(0.52, 0.66)
    puddle = Puddle.random(np.random.default_rng(6), 1.75)
    water = Standing(puddle, Pose(u, v, 0.1), lambda time: ramp(time, 8, 24) - ramp(time, 60, 69))
    people = passers(rng, loop, [(8.8, 11.0), (-3.0, -1.5)], 6)
    return Scene(
        street, camera, LIGHTS["overcast"], [water, *people, *traffic(rng, street, loop, 5)], supersample
    )


def busy_road(supersample: int) -> Scene:
    """Dense traffic on four lanes, people on both pavements."""
    loop, rng = 60.0, np.random.default_rng(16)
    street = Street(616, near=4, road=13, far=5, lanes=4)
    camera = StreetCamera(v=-5.0, height=7.0, yaw=46, pitch=18)
    people = passers(rng, loop, [(14.0, 17.0), (-3.2, -1.0)], 8)
    return Scene(street, camera, LIGHTS["morning"], [*people, *traffic(rng, street, loop, 10)], supersample)


def zebra_crossing(supersample: int) -> Scene:
    """People cross on a zebra while the traffic has a gap."""
    loop, rng = 60.0, np.random.default_rng(17)
    street = Street(717, near=5, road=8, far=5, crossing=6.0)
    camera = StreetCamera(v=-6.0, height=5.8, yaw=64, pitch=20)
    crossing: list[Actor] = []
    for number in range(9):
        at = float(6 + number * 5.7)
        u = float(rng.uniform(4.6, 7.4))
        ends = (-3.0, 11.5) if number % 2 else (11.5, -3.0)
        points = (
            (at - 8, u - 10, ends[0]),
            (at, u, ends[0]),
            (at + 11, u, ends[1]),
            (at + 18, u + 10, ends[1]),
        )
        crossing.append(Walker(Figure.random(rng), Route(points, loop)))
    return Scene(street, camera, LIGHTS["noon"], [*crossing, *traffic(rng, street, loop, 3)], supersample)


def night_street(supersample: int) -> Scene:
    """A lane at night with some traffic."""
    loop, rng = 60.0, np.random.default_rng(18)
    street = Street(818, near=5, road=7, far=4)
    camera = StreetCamera(v=-5.5, height=5.2, yaw=60, pitch=20)
    people = passers(rng, loop, [(7.8, 9.8), (-3.6, -1.5)], 6)
    return Scene(street, camera, LIGHTS["night"], [*people, *traffic(rng, street, loop, 5)], supersample)


def goes_dark(supersample: int) -> Scene:
    """An ordinary street whose camera loses its picture to black."""
    loop, rng = 60.0, np.random.default_rng(19)
    street = Street(919, near=4, road=7.5, far=4)
    camera = StreetCamera(v=-4.5, height=5.6, yaw=124, pitch=20)
    people = passers(rng, loop, [(8.2, 10.6)], 4)
    return Scene(street, camera, LIGHTS["dusk"], [*people, *traffic(rng, street, loop, 5)], supersample)


def freezes(supersample: int) -> Scene:
    """An ordinary street whose camera repeats one frame."""
    loop, rng = 72.0, np.random.default_rng(20)
    street = Street(1020, near=4.5, road=8, far=4, lawn=True)
    camera = StreetCamera(v=-5, height=6.0, yaw=56, pitch=19)
    people = passers(rng, loop, [(8.6, 10.0), (-3.4, -1.4)], 6)
    return Scene(street, camera, LIGHTS["noon"], [*people, *traffic(rng, street, loop, 5)], supersample)


def quiet_park(supersample: int) -> Scene:
    """Nothing happens: an empty park road in the morning, a negative for every algorithm."""
    street = Street(1121, near=5, road=6, far=8, lawn=True)
    camera = StreetCamera(v=-5.5, height=5.4, yaw=104, pitch=19)
    return Scene(street, camera, LIGHTS["morning"], [], supersample)


def depot_gate(supersample: int) -> Scene:
    """The gate of the bus depot; its camera is the one that is offline."""
    loop, rng = 60.0, np.random.default_rng(22)
    street = Street(1222, near=5, road=8, far=6)
    camera = StreetCamera(v=-6, height=6.2, yaw=92, pitch=22)
    people = passers(rng, loop, [(9.0, 12.0)], 3)
    return Scene(street, camera, LIGHTS["overcast"], [*people, *traffic(rng, street, loop, 3)], supersample)
