"""The standing part of a scene: ground, façades and sky, painted once for the whole clip."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.render.camera import StreetCamera
from demo.render.light import Light
from demo.render.texture import sample, value_noise

Plane = NDArray[np.float64]
Colours = NDArray[np.float32]


@dataclass(frozen=True)
class Street:
    """Widths in metres: near pavement (or square) v < 0, road 0..road, far pavement behind it, then façades."""

    seed: int
    near: float
    road: float
    far: float
    lanes: int = 2
    crossing: float | None = None  # u of a zebra crossing's middle
    lawn: bool = False  # far side is a park instead of houses

    @property
    def far_edge(self) -> float:
        """v where the far pavement ends."""
        return self.road + self.far


class Backdrop:
    """Paints one street as one camera sees it; ``image`` is (360, 640, 3) uint8 BGR, ``lit`` the light per pixel."""

    def __init__(self, street: Street, camera: StreetCamera, light: Light, supersample: int = 2) -> None:
        self.street, self.camera, self.light = street, camera, light
        self.rng = np.random.default_rng(street.seed)
        self.noise = value_noise(street.seed % 5)
        rays = camera.rays(supersample)
        picture = self._sky(rays)
        self._facade(picture, rays, street.far_edge, side=1)
        self._facade(picture, rays, -street.near - 1.2, side=-1)
        self._ground(picture, rays)
        image = np.asarray(np.clip(picture, 0, 255), np.uint8)
        if supersample > 1:
            size = (camera.width, camera.frame_height)
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        self.image: NDArray[np.uint8] = image

    # -- light -----------------------------------------------------------------------------------------
    def lamps(self, u: Plane, v: Plane) -> Plane:
        """Lamplight at ground points, 0 by day; lamps stand every 16 m on both kerbs."""
        if not self.light.night:
            return np.zeros_like(u)
        along = (u + 8.0) % 16.0 - 8.0
        pools = np.zeros_like(u)
        for row in (-1.0, self.street.road + 1.0):
            pools += np.exp(-(along**2 + (v - row) ** 2) / 28.0)
        return pools

    # -- parts -----------------------------------------------------------------------------------------
    def _sky(self, rays: NDArray[np.float64]) -> Colours:
        light = self.light
        rise = rays[..., 2] / np.linalg.norm(rays, axis=-1)
        mix = np.clip(rise * 2.4, 0, 1)[..., None]
        sky = np.array(light.sky_low) * (1 - mix) + np.array(light.sky_top) * mix
        cloud = sample(value_noise(31, 5), rays[..., 0] * 90 + 200, rays[..., 2] * 320 + rays[..., 1] * 40)
        return np.asarray(sky + cloud[..., None] * 9 * light.clouds, np.float32)

    def _facade(self, picture: Colours, rays: NDArray[np.float64], v: float, side: int) -> None:
        camera, rng = self.camera, self.rng
        toward = rays[..., 1] * side
        reach = np.where(
            toward > 1e-4, (v - camera.v) / np.where(np.abs(rays[..., 1]) < 1e-4, 1e-4, rays[..., 1]), -1.0
        )
        u = reach * rays[..., 0]
        z = camera.height + reach * rays[..., 2]
        if self.street.lawn and side > 0:
            self._hedge(picture, reach, u, z)
            return
        edges = np.cumsum(rng.uniform(8, 17, 40)) - 230.0
        house = np.clip(np.searchsorted(edges, u), 0, 39)
        tall = rng.uniform(7, 19, 40)
        shown = (reach > 0.5) & (z >= 0) & (z < tall[house]) & (np.abs(u) < 140)
        if not shown.any():
            return
        u, z, house, distance = u[shown], z[shown], house[shown], reach[shown]
        picture[shown] = self._houses(u, z, house, distance, tall)

    def _houses(self, u: Plane, z: Plane, house: NDArray[np.int64], distance: Plane, tall: Plane) -> Colours:
        rng, light = self.rng, self.light
        hue = rng.uniform(0.86, 1.10, (40, 3))
        walls = (rng.uniform(112, 205, (40, 1)) * hue)[house] * np.array(light.tint)
        walls += sample(self.noise, u * 14, z * 14)[:, None] * 4
        pitch_u, pitch_z = rng.uniform(1.9, 3.2, 40)[house], rng.uniform(2.8, 3.5, 40)[house]
        upper = z > 3.8
        column, row = np.floor(u / pitch_u), np.floor((z - 3.8) / pitch_z)
        across, along = u / pitch_u - column, (z - 3.8) / pitch_z - row
        window = (
            upper
            & (across > 0.24)
            & (across < 0.78)
            & (along > 0.25)
            & (along < 0.80)
            & (z < tall[house] - 0.7)
        )
        draw = np.abs(np.sin(column * 12.9898 + row * 78.233 + house * 37.7) * 43758.5453) % 1.0
        glass = np.array([92.0, 82.0, 70.0]) * (0.55 + draw[:, None]) * np.array(light.tint)
        if light.night:
            glass = np.where(
                (draw > 0.62)[:, None], np.array([110.0, 190.0, 235.0]) * (0.5 + draw[:, None] / 2), glass
            )
        colour = np.where(window[:, None], glass, walls)
        ledge = upper & (along < 0.05)
        colour = np.where(ledge[:, None], colour * 0.8, colour)
        colour = self._shops(colour, u, z, house)
        haze = np.clip((distance - 25) / 160, 0, 0.55)[:, None]
        return np.asarray(colour * (1 - haze) + np.array(light.sky_low) * haze, np.float32)

    def _shops(self, colour: Plane, u: Plane, z: Plane, house: NDArray[np.int64]) -> Plane:
        rng, light = self.rng, self.light
        width = rng.uniform(3.2, 5.5, 40)[house]
        shop = np.floor(u / width).astype(np.int64) % 64
        across = u / width - np.floor(u / width)
        sign = np.clip(rng.uniform(0.35, 1.0, (64, 1)) * rng.uniform(30, 215, (64, 3)), 25, 225)[shop]
        sign = sign * np.array(light.tint) * (1.9 if light.night else 1.0)
        inside = np.array([62.0, 60.0, 58.0]) * rng.uniform(0.6, 1.7, (64, 1))[shop] * np.array(light.tint)
        if light.night:
            inside = inside * np.array([1.6, 2.1, 2.6])
        board = (z > 2.75) & (z < 3.55) & (across > 0.04) & (across < 0.96)
        letters = (
            board
            & (z > 2.95)
            & (z < 3.35)
            & (np.floor(across * 9) % 2 == 1)
            & (across > 0.2)
            & (across < 0.8)
        )
        front = (z > 0.35) & (z < 2.6) & (across > 0.08) & (across < 0.92) & (np.abs(across - 0.5) > 0.02)
        colour = np.where(front[:, None], inside, colour)
        colour = np.where(board[:, None], sign, colour)
        return np.where(letters[:, None], 225.0 * np.array(light.tint), colour)

    def _hedge(self, picture: Colours, reach: Plane, u: Plane, z: Plane) -> None:
        top = 2.2 + 2.6 * np.abs(sample(value_noise(7, 4), u * 9, np.zeros_like(u)))
        shown = (reach > 0.5) & (z >= 0) & (z < top) & (np.abs(u) < 160)
        leaf = sample(self.noise, u * 40, z * 40) * 13 + sample(value_noise(3), u * 9, z * 9) * 9
        green = np.array([52.0, 98.0, 74.0]) * np.array(self.light.tint)
        shade = (0.65 + 0.35 * np.clip(z / 2.4, 0, 1))[..., None]
        painted = green * shade + leaf[..., None] * np.array([0.7, 1.0, 0.8])
        picture[shown] = painted[shown]

    def _ground(self, picture: Colours, rays: NDArray[np.float64]) -> None:
        camera, street, light = self.camera, self.street, self.light
        down = rays[..., 2] < -1e-3
        reach = np.where(down, -camera.height / np.where(down, rays[..., 2], -1.0), 0.0)
        u, v = reach * rays[..., 0], camera.v + reach * rays[..., 1]
        shown = down & (v < street.far_edge) & (v > -street.near - 1.2) & (np.abs(u) < 170)
        u, v, reach = u[shown], v[shown], reach[shown]
        fine = np.clip(1.0 - (reach - 8) / 45, 0.12, 1.0)
        colour = self._paving(u, v, fine)
        on_road = (v > 0) & (v < street.road)
        colour = np.where(on_road[:, None], self._asphalt(u, v, fine), colour)
        kerb = (np.abs(v + 0.08) < 0.12) | (np.abs(v - street.road - 0.08) < 0.12)
        colour = np.where(kerb[:, None], np.array([176.0, 178.0, 178.0]), colour)
        colour = colour * np.array(light.tint)
        pools = self.lamps(u, v)[:, None]
        colour = colour * (1 + pools * np.array([0.9, 1.25, 1.5]))
        haze = np.clip((reach - 30) / 180, 0, 0.5)[:, None]
        picture[shown] = colour * (1 - haze) + np.array(light.sky_low) * haze * 0.95

    def _paving(self, u: Plane, v: Plane, fine: Plane) -> Plane:
        rng, street = self.rng, self.street
        tile = float(rng.choice([0.4, 0.6, 0.8, 1.0]))
        base = rng.uniform(128, 182) * rng.uniform(0.93, 1.06, 3)
        column, row = np.floor(u / tile), np.floor(v / tile)
        patch = np.abs(np.sin(column * 127.1 + row * 311.7) * 43758.5453) % 1.0
        joint = ((u / tile - column) < 0.06) | ((v / tile - row) < 0.06)
        colour = base + ((patch - 0.5) * 16 * fine)[:, None] - (joint * 24 * fine)[:, None]
        colour = (
            colour
            + (sample(self.noise, u * 8, v * 8) * 5 + sample(value_noise(9), u * 60, v * 60) * 4 * fine)[
                :, None
            ]
        )
        tactile = np.abs(v + 1.4) < 0.2
        colour = np.where(tactile[:, None] & (street.near > 3), np.array([70.0, 158.0, 178.0]), colour)
        if street.lawn:
            grass = np.array([58.0, 120.0, 88.0]) + (sample(self.noise, u * 30, v * 30) * 9 * fine)[:, None]
            colour = np.where((v > street.road + 2.2)[:, None], grass, colour)
        return np.asarray(colour)

    def _asphalt(self, u: Plane, v: Plane, fine: Plane) -> Plane:
        rng, street = self.rng, self.street
        base = rng.uniform(76, 112)
        wear = sample(value_noise(11, 4), u * 3, v * 22) * 4 + sample(self.noise, u * 70, v * 70) * 5 * fine
        colour = np.repeat((base + wear)[:, None], 3, axis=1) * np.array([1.02, 1.0, 0.97])
        lane = street.road / street.lanes
        for number in range(1, street.lanes):
            middle = number * 2 == street.lanes
            near = np.abs(v - number * lane) < (0.09 if middle else 0.07)
            line = near if middle else near & ((u % 6.0) < 3.0)
            paint = np.array([60.0, 176.0, 206.0]) if middle else np.array([206.0, 208.0, 208.0])
            colour = np.where(line[:, None], paint + wear[:, None], colour)
        edge = (np.abs(v - 0.35) < 0.06) | (np.abs(v - street.road + 0.35) < 0.06)
        colour = np.where(edge[:, None], np.array([196.0, 198.0, 198.0]), colour)
        if street.crossing is not None:
            bars = (
                (np.abs(u - street.crossing) < 2.0) & ((v % 1.0) < 0.5) & (v > 0.5) & (v < street.road - 0.5)
            )
            colour = np.where(bars[:, None], np.array([208.0, 210.0, 210.0]) + wear[:, None], colour)
        return np.asarray(colour)
