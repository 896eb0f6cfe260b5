"""The named clips of the demo city. The first three show the demo's first events."""

from __future__ import annotations

from demo.render import plots
from demo.render.story import Happening, Story

STORIES: tuple[Story, ...] = (
    Story("bag_left", {"zh": "站前广场", "en": "Station Square"}, "DEMO-01 STATION SQUARE", 60,
          plots.bag_left,
          (Happening("object.left", 12.5, 52.0),), clock=(9, 12), zones=("near", "road")),
    Story("garbage_pile", {"zh": "柳荫路东口", "en": "Willow Road East"}, "DEMO-02 WILLOW ROAD EAST", 72,
          plots.garbage_pile, (Happening("garbage.loose", 9.0, 64.0),), clock=(7, 41), zones=("near", "road")),
    Story("street_stall", {"zh": "集市街中段", "en": "Market Street Middle"}, "DEMO-03 MARKET STREET", 72,
          plots.street_stall, (Happening("stall.occupying", 11.0, 64.0),), clock=(16, 5), zones=("near", "road")),
    Story("intrusion", {"zh": "环城快速路辅道", "en": "Ring Road Frontage"}, "DEMO-04 RING ROAD FRONTAGE", 60,
          plots.intrusion, (Happening("person.intrusion", 13.0, 30.0),), clock=(10, 26), zones=("road",)),
    Story("road_water", {"zh": "滨河路下穿口", "en": "River Road Underpass"}, "DEMO-05 RIVER ROAD", 72,
          plots.road_water,
          (Happening("water.ponding", 12.0, 66.0),), clock=(14, 48), zones=("road",)),
    Story("busy_road", {"zh": "中心大道", "en": "Central Avenue"}, "DEMO-06 CENTRAL AVENUE", 60, plots.busy_road,
          (Happening("vehicle.presence", 0.0, 60.0),), clock=(8, 17), zones=("road",)),
    Story("zebra_crossing", {"zh": "学府路路口", "en": "College Road Crossing"}, "DEMO-07 COLLEGE ROAD", 60,
          plots.zebra_crossing, (Happening("person.presence", 0.0, 60.0),), clock=(12, 3), zones=("road",)),
    Story("night_street", {"zh": "湖心巷", "en": "Lake Heart Lane"}, "DEMO-08 LAKE HEART LANE", 60, plots.night_street,
          clock=(21, 34), zones=("road",)),
    Story("goes_dark", {"zh": "仓前路", "en": "Granary Road"}, "DEMO-09 GRANARY ROAD", 60, plots.goes_dark,
          (Happening("black", 21.0, 54.0),), dark=(20.0, 54.0), clock=(17, 22)),
    Story("freezes", {"zh": "北桥桥头", "en": "North Bridge Head"}, "DEMO-10 NORTH BRIDGE", 72, plots.freezes,
          (Happening("frozen", 20.0, 66.0),), frozen=(20.0, 66.0), clock=(11, 9)),
    Story("quiet_park", {"zh": "映月公园南门", "en": "Moonlit Park South Gate"}, "DEMO-11 MOONLIT PARK", 60,
          plots.quiet_park, clock=(6, 30), zones=("far",)),
    Story("depot_gate", {"zh": "公交停保场", "en": "Bus Depot Gate"}, "DEMO-12 BUS DEPOT", 60, plots.depot_gate,
          clock=(13, 55), offline=True),
)  # fmt: skip

FIRST = tuple(story.name for story in STORIES[:3])
BY_NAME = {story.name: story for story in STORIES}
