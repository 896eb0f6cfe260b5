"""Who and what is in the Demo City, as plain data for the seeding: the same on every machine, nothing of it real."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from demo.dictionaries import DIRECTORIES, EVENT_TYPES, ORGANISATIONS, PLACE_TYPES, TAG_TREES, USERS
from demo.geography import COLUMNS, ROWS, RegionArea, cell_point, cell_region, degrees, regions
from demo.render.stories import BY_NAME

__all__ = [
    "DIRECTORIES",
    "EVENT_TYPES",
    "LIVE_CAMERAS",
    "ORGANISATIONS",
    "PLACE_TYPES",
    "TAG_TREES",
    "USERS",
    "Analysis",
    "CameraEntry",
    "catalogue_cameras",
    "gb28181_code",
    "regions",
]


@dataclass(frozen=True)
class Analysis:
    """What is analysed on a live camera: algorithm slug, its parameters and the zone of the clip used as its region."""

    algorithm: str
    parameters: dict[str, float] = field(default_factory=dict)
    zone: str | None = None


@dataclass(frozen=True)
class CameraEntry:
    """A camera of the catalogue; live ones name their clip and what is analysed, at which sampling."""

    code: str
    name_zh: str
    name_en: str
    organisation: str
    region: str
    longitude: float
    latitude: float
    place_type: str
    address_zh: str
    heading: float
    kind: str = "bullet"
    sharing: str = "conditional"
    directories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    clip: str | None = None
    sampling: dict[str, float | str] = field(default_factory=dict)
    analyses: tuple[Analysis, ...] = ()


def gb28181_code(region: str, serial: int, kind: int = 132) -> str:
    """A GB/T 28181 id: centre 8 (district and two zeros) + industry 00 + type 3 + network 0 + serial 6 digits."""
    return f"{region[:6]}00{0:02d}{kind:03d}0{serial:06d}"


def _snapshot(seconds: int) -> dict[str, float | str]:
    return {"kind": "snapshot", "every": seconds}


_KEYFRAMES: dict[str, float | str] = {"kind": "keyframes"}
_EVERYWHERE = {"confidence": 0.55}

_LIVE = (
    # clip, organisation, cell (column, row, s, t), place type, address, sampling, analyses, tags
    (
        "bag_left",
        "GA",
        (7, 2, 0.5, 0.18),
        "A0201",
        "站前街道站前广场北侧",
        _KEYFRAMES,
        (Analysis("left-object", {"dwell": 8.0}, "near"),),
        ("night",),
    ),
    (
        "garbage_pile",
        "CG",
        (5, 1, 0.33, 0.02),
        "A0102",
        "柳荫路与映月路东口",
        _KEYFRAMES,
        (Analysis("exposed-garbage", _EVERYWHERE),),
        ("cg", "pavement"),
    ),
    (
        "street_stall",
        "CG",
        (5, 2, 0.04, 0.67),
        "B0101",
        "集市街中段 12 号前",
        _KEYFRAMES,
        (Analysis("street-stall", _EVERYWHERE),),
        ("cg", "stalls"),
    ),
    (
        "intrusion",
        "JT",
        (7, 4, 0.96, 0.4),
        "A0101",
        "东环路辅道北桥段",
        _snapshot(10),
        (Analysis("pedestrian-intrusion", _EVERYWHERE, "road"),),
        ("jt",),
    ),
    (
        "road_water",
        "CG",
        (3, 3, 0.5, 0.8),
        "A0104",
        "滨河路下穿通道入口",
        _snapshot(15),
        (Analysis("road-water", _EVERYWHERE, "road"),),
        ("flood", "water-prone"),
    ),
    (
        "busy_road",
        "JT",
        (3, 2, 0.98, 0.98),
        "A0101",
        "中心大道与人民路口西侧",
        {"kind": "fps", "fps": 4},
        (
            Analysis("vehicle-presence", _EVERYWHERE, "road"),
            Analysis("pedestrian-intrusion", _EVERYWHERE, "road"),
        ),
        ("jt", "road"),
    ),
    (
        "zebra_crossing",
        "JT",
        (2, 1, 0.98, 0.96),
        "A0103",
        "学府路与湖心路口",
        _snapshot(10),
        (Analysis("person-presence", _EVERYWHERE, "road"),),
        ("school-run", "crossing"),
    ),
    (
        "night_street",
        "GA",
        (2, 2, 0.66, 0.35),
        "A0102",
        "湖心巷 8 号",
        _snapshot(20),
        (Analysis("person-presence", _EVERYWHERE),),
        ("night",),
    ),
    (
        "goes_dark",
        "CG",
        (0, 1, 0.98, 0.6),
        "A0102",
        "仓前路 46 号",
        _snapshot(10),
        (Analysis("exposed-garbage", _EVERYWHERE), Analysis("camera-health", {"confirm": 3.0})),
        ("cg",),
    ),
    (
        "freezes",
        "JT",
        (4, 4, 0.02, 0.10),
        "A0105",
        "北桥北侧桥头",
        _snapshot(10),
        (Analysis("vehicle-presence", _EVERYWHERE), Analysis("camera-health", {"frozen": 20.0})),
        ("waterside", "jt"),
    ),
    (
        "quiet_park",
        "CG",
        (1, 0, 0.5, 0.05),
        "B0201",
        "映月公园南门",
        _snapshot(20),
        (Analysis("exposed-garbage", _EVERYWHERE), Analysis("street-stall", _EVERYWHERE)),
        ("green",),
    ),
    (
        "depot_gate",
        "BUS",
        (6, 0, 0.7, 0.67),
        "A0202",
        "公交停保场大门",
        _snapshot(15),
        (Analysis("pedestrian-intrusion", _EVERYWHERE),),
        ("jt",),
    ),
)

_DISTRICT_DIRECTORY = {"990101": "official-SN", "990102": "official-HD", "990103": "official-JB"}
_BUREAU_DIRECTORY = {"CG": "own-CG", "CG-SN": "own-CG", "JT": "own-JT", "BUS": "own-JT", "GA": "own-GA"}


def _live_cameras() -> tuple[CameraEntry, ...]:
    found = []
    for number, (clip, bureau, (column, row, s, t), place, address, sampling, analyses, tags) in enumerate(
        _LIVE, 1
    ):
        region = cell_region(column, row)
        longitude, latitude = degrees(*cell_point(column, row, s, t))
        story = BY_NAME[clip]
        directories = (_DISTRICT_DIRECTORY[region[:6]], _BUREAU_DIRECTORY[bureau])
        found.append(
            CameraEntry(
                gb28181_code(region, number),
                story.title["zh"],
                story.title["en"],
                bureau,
                region,
                longitude,
                latitude,
                place,
                address,
                float(number * 47 % 360),
                directories=directories,
                tags=tags,
                clip=clip,
                sampling=dict(sampling),
                analyses=analyses,
            )
        )
    return tuple(found)


LIVE_CAMERAS: tuple[CameraEntry, ...] = _live_cameras()

_PLACES = (
    ("A0101", 0.26),
    ("A0102", 0.22),
    ("A0103", 0.18),
    ("A0105", 0.03),
    ("B0101", 0.05),
    ("B0102", 0.08),
    ("B0201", 0.05),
    ("B0202", 0.03),
    ("B0301", 0.05),
    ("C0101", 0.05),
)
_PLACE_WORDS = {
    "A0101": ("主路", "Main Road"),
    "A0102": ("街巷", "Lane"),
    "A0103": ("路口", "Crossing"),
    "A0105": ("桥面", "Bridge"),
    "B0101": ("市场", "Market"),
    "B0102": ("商业街", "Shops"),
    "B0201": ("公园", "Park"),
    "B0202": ("广场", "Square"),
    "B0301": ("学校门前", "School Gate"),
    "C0101": ("小区门口", "Estate Gate"),
}
_SIDES = (("东", "E"), ("南", "S"), ("西", "W"), ("北", "N"))
_TAGS_OF = {
    "A0103": ("crossing",),
    "A0105": ("waterside",),
    "B0101": ("stalls",),
    "B0201": ("green",),
    "B0301": ("school-run",),
}


@lru_cache(maxsize=2)
def catalogue_cameras(count: int = 2000) -> tuple[CameraEntry, ...]:
    """Cameras that exist in the catalogue only (no stream), spread over all communities, denser in the middle."""
    rng = np.random.default_rng(20_000)
    names = {region.code: region for region in regions()}
    weights = np.array(
        [
            [1.0 + 2.2 * np.exp(-((c - 4.0) ** 2 + (r - 2.5) ** 2) / 4.0) for c in range(COLUMNS)]
            for r in range(ROWS)
        ]
    )
    cells = rng.choice(COLUMNS * ROWS, count, p=(weights / weights.sum()).ravel())
    serials: dict[str, int] = {}
    return tuple(_catalogue_camera(int(cell), rng, names, serials) for cell in cells)


def _catalogue_camera(
    cell: int, rng: np.random.Generator, names: dict[str, RegionArea], serials: dict[str, int]
) -> CameraEntry:
    row, column = divmod(cell, COLUMNS)
    region = cell_region(column, row)
    along = float(rng.uniform(0.02, 0.98))
    on_street = float(rng.choice([0.0, 1 / 3, 2 / 3, 1.0])) * 0.96 + 0.02
    s, t = (along, on_street) if rng.random() < 0.5 else (on_street, along)
    longitude, latitude = degrees(*cell_point(column, row, s, t))
    place = str(rng.choice([name for name, _ in _PLACES], p=[share for _, share in _PLACES]))
    bureau = str(rng.choice(["CG", "JT", "GA", "SN", "HD", "JB"], p=[0.26, 0.26, 0.24, 0.08, 0.08, 0.08]))
    if bureau in ("SN", "HD", "JB"):
        bureau = {"990101": "SN", "990102": "HD", "990103": "JB"}[region[:6]]
    serial = serials[region[:6]] = serials.get(region[:6], 1000) + 1
    side = _SIDES[int(rng.integers(4))]
    community = names[region]
    base_zh = community.name_zh.removesuffix("社区")
    base_en = community.name_en.removesuffix(" Community")
    word = _PLACE_WORDS[place]
    directories = (
        _DISTRICT_DIRECTORY[region[:6]],
        *((_BUREAU_DIRECTORY[bureau],) if bureau in _BUREAU_DIRECTORY else ()),
    )
    if bureau == "GA" and rng.random() < 0.6:
        directories = (*directories, "synced")
    return CameraEntry(
        gb28181_code(region, serial, int(rng.choice([131, 132], p=[0.2, 0.8]))),
        f"{base_zh}{word[0]}{serial - 1000:03d}{side[0]}",
        f"{base_en} {word[1]} {serial - 1000:03d} {side[1]}",
        bureau,
        region,
        longitude,
        latitude,
        place,
        f"{base_zh}{word[0]}{side[0]}侧",
        float(rng.integers(0, 360)),
        kind=str(rng.choice(["bullet", "dome", "ptz", "panoramic"], p=[0.6, 0.22, 0.15, 0.03])),
        sharing=str(rng.choice(["unconditional", "conditional", "not_shared"], p=[0.35, 0.57, 0.08])),
        directories=directories,
        tags=_TAGS_OF.get(place, ()),
    )
