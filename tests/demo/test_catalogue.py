"""The Demo City's data: complete, unique, nowhere on earth."""

from __future__ import annotations

from collections import Counter

import pytest
from shapely.geometry import Point, shape

from apps.accounts.choices import OrganisationKind, RoleCode
from demo.basemap import PATH, build_basemap, write_basemap
from demo.catalogue import (
    DIRECTORIES,
    EVENT_TYPES,
    LIVE_CAMERAS,
    ORGANISATIONS,
    PLACE_TYPES,
    TAG_TREES,
    USERS,
    catalogue_cameras,
    regions,
)
from demo.packaging import manifest, slugs
from demo.render.stories import BY_NAME

CAMERAS = (*LIVE_CAMERAS, *catalogue_cameras())


def test_two_thousand_cameras_with_codes_of_their_own() -> None:
    assert len(catalogue_cameras()) == 2000
    codes = [camera.code for camera in CAMERAS]
    assert len(set(codes)) == len(codes)
    for camera in CAMERAS:
        assert len(camera.code) == 20
        assert camera.code.isdigit()
        assert camera.code.startswith(camera.region[:6])
        assert camera.code[10:13] in ("131", "132")
    assert catalogue_cameras() == catalogue_cameras.__wrapped__()


def test_every_reference_exists() -> None:
    organisations = {entry.code for entry in ORGANISATIONS}
    directories = {row[0] for row in DIRECTORIES}
    places = {row[0] for row in PLACE_TYPES}
    tags = {tag[0] for tree in TAG_TREES for tag in tree[3]}
    known = {region.code for region in regions()}
    for camera in CAMERAS:
        assert camera.organisation in organisations
        assert camera.place_type in places
        assert camera.region in known
        assert set(camera.directories) <= directories
        assert set(camera.tags) <= tags
    for user in USERS:
        assert user.organisation in organisations
        assert user.role in RoleCode.values
    for entry in ORGANISATIONS:
        assert entry.parent is None or entry.parent in organisations
        assert entry.kind in OrganisationKind.values
        assert not entry.region or entry.region in known


def test_cameras_stand_in_their_region() -> None:
    rings = {region.code: shape(region.boundary) for region in regions()}
    for camera in CAMERAS:
        assert rings[camera.region].buffer(0.0002).contains(Point(camera.longitude, camera.latitude)), (
            camera.name_zh
        )


def test_regions_nest_without_gap_or_overlap() -> None:
    by_code = {region.code: region for region in regions()}
    assert Counter(len(code) for code in by_code) == {6: 4, 9: 12, 12: 48}
    assert all(code.startswith("99") for code in by_code)
    for level in (1, 2, 3):
        parts: dict[str, float] = {}
        for region in regions():
            if region.level == level and region.parent:
                parts[region.parent] = parts.get(region.parent, 0) + shape(region.boundary).area
        for parent, area in parts.items():
            assert area == pytest.approx(shape(by_code[parent].boundary).area, rel=1e-6)


def test_twelve_live_cameras_of_each_sampling_and_twelve_people() -> None:
    assert Counter(camera.sampling["kind"] for camera in LIVE_CAMERAS) == {
        "snapshot": 8,
        "keyframes": 3,
        "fps": 1,
    }
    assert {camera.clip for camera in LIVE_CAMERAS} == set(BY_NAME)
    assert all(
        10 <= float(c.sampling["every"]) <= 20 for c in LIVE_CAMERAS if c.sampling["kind"] == "snapshot"
    )
    assert len({user.username for user in USERS}) == len(USERS) == 12
    assert len({user.role for user in USERS}) == 12


def test_live_cameras_name_algorithms_zones_and_event_types_that_exist() -> None:
    algorithms = {entry["id"]: entry for slug in slugs() for entry in manifest(slug)["algorithms"]}  # type: ignore[attr-defined]
    types = {entry.code for entry in EVENT_TYPES}
    for camera in LIVE_CAMERAS:
        for analysis in camera.analyses:
            assert analysis.algorithm in algorithms
            assert analysis.zone is None or analysis.zone in BY_NAME[str(camera.clip)].zones
    assert {item["proposes"] for entry in algorithms.values() for item in entry["items"]} <= types
    assert all(entry.parent is None or entry.parent in types for entry in EVENT_TYPES)


def test_the_committed_base_map_is_the_one_the_code_draws(tmp_path) -> None:  # type: ignore[no-untyped-def]
    size = write_basemap(tmp_path / "map.geojson")
    assert size <= 400_000
    assert (tmp_path / "map.geojson").read_bytes() == PATH.read_bytes()
    kinds = Counter(feature["properties"]["kind"] for feature in build_basemap()["features"])
    assert {"land", "water", "park", "building", "road", "boundary", "word"} <= set(kinds)
