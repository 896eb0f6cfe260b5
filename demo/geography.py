"""The invented Demo City (演示市): its districts, streets, roads and river, in metres and in degrees.

Nothing here is a real place. Region codes begin with 99, which GB/T 2260 gives to nobody. The city is a lattice of
8 × 6 communities of about 1.5 km with shifted corners, so that neighbours share their borders exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

LONGITUDE, LATITUDE = 120.0, 30.0
_METRES_PER_DEGREE = (96_486.0, 110_852.0)
STEP = 1500.0
COLUMNS, ROWS = 8, 6
CITY_CODE = "990100"

Point = tuple[float, float]

DISTRICTS = (
    ("990101", "山南区", "Shannan District", 0),
    ("990102", "湖东区", "Hudong District", 2),
    ("990103", "江北区", "Jiangbei District", 4),
)
_STREETS = (
    ("柳荫街道", "Liuyin Street"),
    ("学府街道", "Xuefu Street"),
    ("仓前街道", "Cangqian Street"),
    ("云溪街道", "Yunxi Street"),
    ("湖心街道", "Huxin Street"),
    ("集市街道", "Jishi Street"),
    ("映月街道", "Yingyue Street"),
    ("站前街道", "Zhanqian Street"),
    ("北桥街道", "Beiqiao Street"),
    ("滨河街道", "Binhe Street"),
    ("望江街道", "Wangjiang Street"),
    ("青禾镇", "Qinghe Town"),
)
_COMMUNITIES = (("东苑", "Dongyuan"), ("西苑", "Xiyuan"), ("南苑", "Nanyuan"), ("北苑", "Beiyuan"))
_ALONG = (
    ("滨江南路", "Riverside South Road"),
    ("柳荫路", "Willow Road"),
    ("学府路", "College Road"),
    ("中心大道", "Central Avenue"),
    ("滨河路", "River Road"),
    ("北桥路", "North Bridge Road"),
    ("青禾路", "Green Crop Road"),
)
_ACROSS = (
    ("西环路", "West Ring Road"),
    ("仓前路", "Granary Road"),
    ("云溪路", "Cloud Creek Road"),
    ("湖心路", "Lake Heart Road"),
    ("人民路", "People Road"),
    ("集市街", "Market Street"),
    ("映月路", "Moonlit Road"),
    ("站前路", "Station Road"),
    ("东环路", "East Ring Road"),
)


@dataclass(frozen=True)
class RegionArea:
    """One region: 6-digit district, 9-digit street or 12-digit community with its ring in degrees."""

    code: str
    parent: str | None
    level: int
    name_zh: str
    name_en: str
    ring: tuple[Point, ...]

    @property
    def boundary(self) -> dict[str, object]:
        """GeoJSON polygon in WGS-84."""
        return {"type": "Polygon", "coordinates": [[list(point) for point in self.ring]]}


@dataclass(frozen=True)
class Road:
    """A road's middle line in metres; rank 1 arterial, 2 street, 3 lane."""

    name_zh: str
    name_en: str
    rank: int
    line: tuple[Point, ...]


def degrees(x: float, y: float) -> Point:
    """Metres east and north of the city's middle to (longitude, latitude), rounded to about a metre."""
    return round(LONGITUDE + x / _METRES_PER_DEGREE[0], 5), round(LATITUDE + y / _METRES_PER_DEGREE[1], 5)


@lru_cache(maxsize=1)
def corners() -> np.ndarray:
    """The lattice's corners in metres, (7, 9, 2); the row between the two northern districts follows the river."""
    rng = np.random.default_rng(990100)
    grid = np.zeros((ROWS + 1, COLUMNS + 1, 2))
    for row in range(ROWS + 1):
        for column in range(COLUMNS + 1):
            x = (column - COLUMNS / 2) * STEP + float(rng.uniform(-170, 170))
            y = (row - ROWS / 2) * STEP + float(rng.uniform(-170, 170))
            if row == 4:
                y = STEP + 420 * float(np.sin(column * 0.8 + 0.4)) + 90
            grid[row, column] = (x, y)
    return grid


@lru_cache(maxsize=1)
def regions() -> tuple[RegionArea, ...]:
    """Three districts, twelve streets and forty-eight communities, parents first."""
    found = [RegionArea(CITY_CODE, None, 0, "演示市", "Demo City", _ring(0, 0, COLUMNS, ROWS))]
    for code, zh, en, row in DISTRICTS:
        found.append(RegionArea(code, CITY_CODE, 1, zh, en, _ring(0, row, COLUMNS, 2)))
    for number, (zh, en) in enumerate(_STREETS):
        code, column, row = _street_place(number)
        found.append(RegionArea(code, code[:6], 2, zh, en, _ring(column, row, 2, 2)))
        for part, (part_zh, part_en) in enumerate(_COMMUNITIES):
            ring = _ring(column + part % 2, row + part // 2, 1, 1)
            base = zh.removesuffix("街道").removesuffix("镇")
            name = f"{en.split()[0]} {part_en} Community"
            found.append(RegionArea(f"{code}{part + 1:03d}", code, 3, f"{base}{part_zh}社区", name, ring))
    return tuple(found)


def _street_place(number: int) -> tuple[str, int, int]:
    district = DISTRICTS[number // 4]
    return f"{district[0]}{number % 4 + 1:03d}", (number % 4) * 2, district[3]


def _ring(column: int, row: int, width: int, height: int) -> tuple[Point, ...]:
    places = (
        [(row, column + n) for n in range(width)]
        + [(row + n, column + width) for n in range(height)]
        + [(row + height, column + width - n) for n in range(width)]
        + [(row + height - n, column) for n in range(height)]
    )
    ring = [degrees(*corners()[place]) for place in places]
    return (*ring, ring[0])


def cell_point(column: int, row: int, s: float, t: float) -> Point:
    """A point of a community's cell in metres; s and t 0..1 from its south-west corner."""
    grid = corners()
    south = grid[row, column] * (1 - s) + grid[row, column + 1] * s
    north = grid[row + 1, column] * (1 - s) + grid[row + 1, column + 1] * s
    x, y = south * (1 - t) + north * t
    return float(x), float(y)


def cell_region(column: int, row: int) -> str:
    """The 12-digit code of the community in a cell."""
    street = (row // 2) * 4 + column // 2
    return f"{_street_place(street)[0]}{(row % 2) * 2 + column % 2 + 1:03d}"


@lru_cache(maxsize=1)
def roads() -> tuple[Road, ...]:
    """Arterials on the lattice lines, two streets each way through every cell."""
    grid = corners()
    found: list[Road] = []
    for row in range(ROWS + 1):
        if row == 4:  # the river runs here; its bank has the road a little south of it
            line = tuple((float(x), float(y) - 230) for x, y in grid[row])
        else:
            line = tuple((float(x), float(y)) for x, y in grid[row])
        found.append(Road(*_ALONG[row], 1, line))
    for column in range(COLUMNS + 1):
        found.append(Road(*_ACROSS[column], 1, tuple((float(x), float(y)) for x, y in grid[:, column])))
    for row in range(ROWS):
        zh, en = _ALONG[row]
        for part in (1, 2):
            line = tuple(
                cell_point(column, row, s, part / 3) for column in range(COLUMNS) for s in (0.0, 0.5)
            )
            ends = (*line, cell_point(COLUMNS - 1, row, 1.0, part / 3))
            found.append(Road(f"{zh}{'一二'[part - 1]}巷", f"{en} Lane {part}", 2 + (part == 2), ends))
    for column in range(COLUMNS):
        zh, en = _ACROSS[column]
        for part in (1, 2):
            line = tuple(
                cell_point(column, row, part / 3, t)
                for row in range(ROWS)
                if row != 3
                for t in (0.0, 0.5, 0.9)
            )
            found.append(Road(f"{zh}{'东西'[part - 1]}街", f"{en} Side Street {part}", 3 - (part == 1), line))
    return tuple(found)
