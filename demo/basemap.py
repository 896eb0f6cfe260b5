"""Draws the Demo City's own base map: ``python -m demo.basemap`` writes demo/public/basemap.geojson (committed)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from demo.geography import COLUMNS, ROWS, Point, cell_point, corners, degrees, regions, roads

PATH = Path(__file__).parent / "public" / "basemap.geojson"
_PARKS = {
    (1, 0, 4): ("映月公园", "Moonlit Park"),
    (4, 2, 4): ("湖心公园", "Lake Heart Park"),
    (6, 4, 4): ("北岸森林", "North Bank Wood"),
    (2, 5, 4): ("青禾湿地", "Green Crop Wetland"),
    (7, 1, 4): ("东郊绿地", "Eastern Green"),
    (0, 3, 4): ("西山绿地", "West Hill Green"),
}
_LAKES = {(5, 2): ("映月湖", "Moonlit Lake"), (3, 1): ("学府湖", "College Lake")}
_SQUARE = (7, 2, 4)


def build_basemap() -> dict[str, Any]:
    """The map as a GeoJSON FeatureCollection; kinds are those of the map page, and ``word``."""
    rng = np.random.default_rng(2026)
    features: list[dict[str, Any]] = [_land(), _river()]
    for row in range(ROWS):
        for column in range(COLUMNS):
            features += _cell(column, row, rng)
    for road in roads():
        line = [list(degrees(*point)) for point in _smooth(road.line)]
        features.append(_feature("LineString", line, "road", road.name_zh, road.name_en, rank=road.rank))
    features.append(_rail())
    for region in regions():
        if region.level in (1, 2):
            features.append(
                _feature("LineString", [list(p) for p in region.ring], "boundary", level=region.level)
            )
            middle = np.mean(np.array(region.ring[:-1]), axis=0)
            place = [round(float(middle[0]), 5), round(float(middle[1]), 5)]
            zoom = 11 if region.level == 1 else 14
            features.append(_feature("Point", place, "word", region.name_zh, region.name_en, min_zoom=zoom))
    features += _words()
    return {"type": "FeatureCollection", "name": "Demo City 演示市 (invented)", "features": features}


def _feature(
    shape: str, coordinates: Any, kind: str, zh: str = "", en: str = "", **more: object
) -> dict[str, Any]:
    names = {"name_zh": zh, "name_en": en} if zh else {}
    return {
        "type": "Feature",
        "properties": {"kind": kind, **names, **more},
        "geometry": {"type": shape, "coordinates": coordinates},
    }


def _land() -> dict[str, Any]:
    grid = corners()
    edge = [*grid[0], *grid[1:, -1], *grid[-1, ::-1][1:], *grid[1:-1, 0][::-1]]
    ring = [list(degrees(float(x) * 1.04, float(y) * 1.05)) for x, y in edge]
    return _feature("Polygon", [[*ring, ring[0]]], "land")


def _river() -> dict[str, Any]:
    middle = [(float(x), float(y)) for x, y in corners()[4]]
    middle = [(middle[0][0] - 900, middle[0][1] - 60), *middle, (middle[-1][0] + 900, middle[-1][1] + 80)]
    line = np.array(_smooth(tuple(middle)))
    wide = 85 + 25 * np.sin(np.arange(len(line)) * 0.7)
    north, south = (
        line + np.column_stack([np.zeros(len(line)), wide]),
        line - np.column_stack([np.zeros(len(line)), wide]),
    )
    ring = [list(degrees(float(x), float(y))) for x, y in [*north, *south[::-1]]]
    return _feature("Polygon", [[*ring, ring[0]]], "water", "演示江", "Demo River")


def _smooth(line: tuple[Point, ...] | list[Point]) -> list[Point]:
    """Catmull-Rom through the points, two more between each pair where the line bends."""
    points = np.array(line)
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    found: list[Point] = []
    for a, b, c, d in zip(padded[:-3], padded[1:-2], padded[2:-1], padded[3:], strict=True):
        for t in (0.0, 0.5):
            x, y = 0.5 * (
                2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
            )
            found.append((float(x), float(y)))
    return [*found, (float(points[-1][0]), float(points[-1][1]))]


def _cell(column: int, row: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    features = []
    if (column, row) in _LAKES:
        features.append(_lake(column, row))
    for block in range(9):
        name = _PARKS.get((column, row, block))
        s, t = (block % 3) / 3, (block // 3) / 3
        if (
            (row == 4 and block < 3)
            or (row == 3 and block >= 6)
            or ((column, row) in _LAKES and block in (4, 5))
        ):
            continue  # the banks and the lakes stay open
        if name is not None:
            features.append(_patch(column, row, s - 0.28, t - 0.28, 0.9, 0.9, "park", *name))
        elif (column, row, block) == _SQUARE:
            features.append(_patch(column, row, s, t, 1 / 3, 1 / 3, "square", "站前广场", "Station Square"))
        elif not any(key[:2] == (column, row) for key in _PARKS) or rng.random() < 0.25:
            features += _buildings(column, row, s, t, rng)
    return features


def _buildings(column: int, row: int, s: float, t: float, rng: np.random.Generator) -> list[dict[str, Any]]:
    found = []
    split = int(rng.integers(1, 3))
    for part in range(2):
        for other in range(split):
            if rng.random() < 0.12:
                continue
            width, tall = 0.29 / 2, 0.29 / split
            left = s + 0.026 + part * (width + 0.01)
            low = t + 0.026 + other * (tall + 0.006)
            found.append(
                _patch(column, row, left, low, width * float(rng.uniform(0.6, 0.95)), tall * 0.88, "building")
            )
    return found


def _patch(
    column: int,
    row: int,
    s: float,
    t: float,
    width: float,
    tall: float,
    kind: str,
    zh: str = "",
    en: str = "",
) -> dict[str, Any]:
    s, t = float(np.clip(s, 0.03, 0.97)), float(np.clip(t, 0.03, 0.97))
    right, top = float(np.clip(s + width, 0.03, 0.97)), float(np.clip(t + tall, 0.03, 0.97))
    ring = [
        list(degrees(*cell_point(column, row, x, y))) for x, y in ((s, t), (right, t), (right, top), (s, top))
    ]
    return _feature("Polygon", [[*ring, ring[0]]], kind, zh, en)


def _lake(column: int, row: int) -> dict[str, Any]:
    x, y = cell_point(column, row, 0.66, 0.5)
    turn = np.linspace(0, 2 * np.pi, 25)[:-1]
    reach = 1 + 0.18 * np.sin(3 * turn) + 0.1 * np.cos(2 * turn)
    ring = [
        list(degrees(x + 430 * r * np.cos(a), y + 210 * r * np.sin(a)))
        for a, r in zip(turn, reach, strict=True)
    ]
    return _feature("Polygon", [[*ring, ring[0]]], "water", *_LAKES[column, row])


def _rail() -> dict[str, Any]:
    line = [
        (6400.0, -4700.0),
        (5700.0, -2600.0),
        (5450.0, -900.0),
        (5500.0, 700.0),
        (5900.0, 2600.0),
        (6300.0, 4700.0),
    ]
    return _feature(
        "LineString", [list(degrees(*point)) for point in _smooth(line)], "rail", "演示铁路", "Demo Railway"
    )


def _words() -> list[dict[str, Any]]:
    found = []
    for (column, row, _), (zh, en) in _PARKS.items():
        found.append(
            _feature("Point", list(degrees(*cell_point(column, row, 0.5, 0.5))), "word", zh, en, min_zoom=14)
        )
    for (column, row), (zh, en) in _LAKES.items():
        found.append(
            _feature("Point", list(degrees(*cell_point(column, row, 0.66, 0.5))), "word", zh, en, min_zoom=13)
        )
    for road in roads():
        if road.rank == 1:
            middle = road.line[len(road.line) // 2]
            found.append(
                _feature("Point", list(degrees(*middle)), "word", road.name_zh, road.name_en, min_zoom=15)
            )
    x, y = corners()[4][2]
    found.append(
        _feature("Point", list(degrees(float(x), float(y))), "word", "演示江", "Demo River", min_zoom=12)
    )
    return found


def write_basemap(path: Path = PATH) -> int:
    """Writes the map and returns its size in bytes."""
    text = json.dumps(build_basemap(), ensure_ascii=False, separators=(",", ":")) + "\n"
    path.write_text(text, encoding="utf-8")
    return len(text.encode())


if __name__ == "__main__":
    print(write_basemap())  # noqa: T201
