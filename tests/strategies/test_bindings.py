"""Which strategy decides, and which overlaps are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from apps.core.errors import Conflict, NotAllowed, NotFound, Refusal
from apps.devices.models import CameraTag, Tag, TagTree
from apps.strategies.models import StrategyBinding
from apps.strategies.selectors import deciding_binding
from apps.strategies.services import bind, unbind
from tests.strategies import factories as strategies
from tests.support import factories

pytestmark = pytest.mark.django_db
MONDAY_NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
QUERY = {"attr": "tags", "op": "contains", "value": "学校"}


def city() -> Any:
    return factories.organisation()


def tagged(camera: Any, name: str) -> None:
    tree = TagTree.objects.create(organisation=camera.managing_organisation, name="场所")
    CameraTag.objects.create(camera=camera, tag=Tag.objects.create(tree=tree, name=name))


def test_a_list_beats_a_query_beats_all() -> None:
    organisation, kind = city(), factories.event_type()
    camera = factories.camera(organisation)
    tagged(camera, "学校")
    other = factories.camera(organisation)
    manager = strategies.manager(organisation)
    strategies.everywhere(name="默认")

    def decided(of: Any = camera) -> str:
        binding = deciding_binding(of, 0, kind, MONDAY_NOON)
        return binding.strategy.name if binding else ""

    assert decided() == "默认"
    bind(principal=manager, strategy=strategies.running(organisation, name="全部"), scope="all")
    assert decided() == "全部"
    bind(
        principal=manager,
        strategy=strategies.running(organisation, name="查询"),
        scope="query",
        query=QUERY,
    )
    assert (decided(), decided(other)) == ("查询", "全部")
    listed = bind(
        principal=manager,
        strategy=strategies.running(organisation, name="清单"),
        scope="list",
        cameras=[camera],
        event_types=[kind],
    )
    assert (decided(), decided(other)) == ("清单", "全部")
    assert deciding_binding(camera, 0, factories.event_type(), MONDAY_NOON).strategy.name == "查询"
    unbind(principal=manager, binding=listed)
    assert decided() == "查询"


def test_all_means_the_organisations_own_cameras() -> None:
    organisation, kind = city(), factories.event_type()
    child = factories.organisation(organisation)
    bind(principal=strategies.manager(organisation), strategy=strategies.running(organisation), scope="all")

    assert deciding_binding(factories.camera(child), 0, kind, MONDAY_NOON) is not None
    assert deciding_binding(factories.camera(), 0, kind, MONDAY_NOON) is None


def test_a_stopped_strategy_decides_nothing() -> None:
    binding = strategies.everywhere()
    binding.strategy.state = "stopped"
    binding.strategy.save()

    assert deciding_binding(factories.camera(), 0, factories.event_type(), MONDAY_NOON) is None


def test_no_event_types_is_none_and_a_plan_narrows() -> None:
    organisation, kind = city(), factories.event_type()
    camera = factories.camera(organisation)
    manager = strategies.manager(organisation)
    bind(
        principal=manager,
        strategy=strategies.running(organisation),
        scope="list",
        cameras=[camera],
        event_types=[],
    )
    assert deciding_binding(camera, 0, kind, MONDAY_NOON) is None
    night = factories.plan(
        organisation,
        kind="periods",
        periods=[{"days": [1, 2, 3, 4, 5, 6, 7], "begin": "22:00", "end": "06:00"}],
    )
    bind(
        principal=manager,
        strategy=strategies.running(organisation),
        scope="list",
        cameras=[camera],
        plan=night,
    )
    assert deciding_binding(camera, 0, kind, MONDAY_NOON) is None
    assert deciding_binding(camera, 0, kind, MONDAY_NOON.replace(hour=15)) is not None


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({}, True),
        ({"event_types": "other"}, False),
        ({"event_types": None}, False),
        ({"plan": "afternoon"}, False),
        ({"plan": "noon"}, True),
    ],
)
def test_an_undecidable_overlap_names_the_cameras(changes: dict[str, Any], refused: bool) -> None:
    organisation, kind = city(), factories.event_type()
    camera = factories.camera(organisation, name="南门")
    manager = strategies.manager(organisation)
    periods = {"morning": ("06:00", "12:00"), "noon": ("11:59", "13:00"), "afternoon": ("12:00", "24:00")}
    plans = {
        name: factories.plan(
            organisation,
            kind="periods",
            periods=[{"days": [1, 2, 3, 4, 5, 6, 7], "begin": begin, "end": end}],
        )
        for name, (begin, end) in periods.items()
    }
    common = {"principal": manager, "scope": "list", "cameras": [camera]}
    bind(**common, strategy=strategies.running(organisation), event_types=[kind], plan=plans["morning"])
    second: dict[str, Any] = {"event_types": [kind], "plan": plans.get(changes.get("plan", ""))}
    if "event_types" in changes:
        second["event_types"] = [factories.event_type()] if changes["event_types"] else None

    if refused:
        with pytest.raises(Conflict, match="南门") as conflict:
            bind(**common, strategy=strategies.running(organisation), **second)
        assert conflict.value.code == "undecidable_overlap"
        assert StrategyBinding.objects.count() == 1
    else:
        bind(**common, strategy=strategies.running(organisation), **second)
        assert StrategyBinding.objects.count() == 2


def test_two_queries_overlap_only_where_a_camera_fits_both() -> None:
    organisation = city()
    camera = factories.camera(organisation)
    tagged(camera, "学校")
    manager = strategies.manager(organisation)
    bind(principal=manager, strategy=strategies.running(organisation), scope="query", query=QUERY)
    other = {"attr": "tags", "op": "contains", "value": "医院"}
    bind(principal=manager, strategy=strategies.running(organisation), scope="query", query=other)

    tagged(camera, "商场")
    with pytest.raises(Conflict):
        bind(
            principal=manager,
            strategy=strategies.running(organisation),
            scope="query",
            query={"attr": "tags", "op": "contains", "value": "商场"},
        )


def test_what_cannot_be_bound() -> None:
    organisation = city()
    manager = strategies.manager(organisation)
    strategy = strategies.running(organisation)
    with pytest.raises(Refusal, match="camera"):
        bind(principal=manager, strategy=strategy, scope="list", cameras=[])
    with pytest.raises(NotFound):
        bind(principal=manager, strategy=strategy, scope="list", cameras=[factories.camera()])
    with pytest.raises(Refusal):
        bind(
            principal=manager,
            strategy=strategy,
            scope="query",
            query={"attr": "colour", "op": "eq", "value": 1},
        )
    with pytest.raises(Refusal):
        bind(principal=manager, strategy=strategy, scope="query", query={})
    with pytest.raises(NotAllowed):
        bind(principal=strategies.manager(), strategy=strategy, scope="all")
    with pytest.raises(NotAllowed):
        bind(principal=factories.principal(organisation, ("maintainer",)), strategy=strategy, scope="all")
    strategy.versions.all().delete()
    with pytest.raises(Refusal, match="Publish"):
        bind(principal=manager, strategy=strategy, scope="all")
    assert not StrategyBinding.objects.exists()
