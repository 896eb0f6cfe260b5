"""Draft, check, publish, stop: what moves and what never changes."""

from __future__ import annotations

import pytest

from apps.core.errors import Conflict, NotAllowed, Refusal
from apps.strategies.services import (
    GraphRefused,
    bind,
    check_strategy,
    create_strategy,
    publish_strategy,
    save_draft,
    start_strategy,
    stop_strategy,
)
from tests.strategies import factories as strategies
from tests.support import factories

pytestmark = pytest.mark.django_db


def test_from_draft_to_a_running_version() -> None:
    organisation = factories.organisation()
    manager = strategies.manager(organisation)
    strategy = create_strategy(principal=manager, name="夜间占道")
    assert strategy.state == "draft"

    assert check_strategy(principal=manager, strategy=strategy) == []
    strategy.refresh_from_db()
    assert strategy.state == "checked"
    version = publish_strategy(principal=manager, strategy=strategy)

    strategy.refresh_from_db()
    assert (strategy.state, version.number) == ("running", 1)
    assert version.graph == strategy.draft


def test_each_publish_is_a_new_version_and_bindings_follow() -> None:
    organisation = factories.organisation()
    manager = strategies.manager(organisation)
    strategy = create_strategy(principal=manager, name="a")
    first = publish_strategy(principal=manager, strategy=strategy)
    binding = bind(principal=manager, strategy=strategy, scope="all")

    save_draft(principal=manager, strategy=strategy, graph=strategies.graph(window_s=99))
    binding.refresh_from_db()
    assert binding.version == first
    second = publish_strategy(principal=manager, strategy=strategy)

    binding.refresh_from_db()
    first.refresh_from_db()
    assert binding.version == second
    assert second.number == 2
    assert first.graph != second.graph


def test_a_graph_with_problems_is_kept_as_draft_but_not_published() -> None:
    manager = strategies.manager()
    strategy = create_strategy(principal=manager, name="a")
    broken = strategies.graph()
    broken["nodes"][1]["params"]["min"] = 7
    save_draft(principal=manager, strategy=strategy, graph=broken)

    assert [problem.node for problem in check_strategy(principal=manager, strategy=strategy)] == [
        "confidence"
    ]
    with pytest.raises(GraphRefused) as refused:
        publish_strategy(principal=manager, strategy=strategy)

    assert list(refused.value.fields) == ["confidence"]
    strategy.refresh_from_db()
    assert strategy.state == "draft"
    assert not strategy.versions.exists()


def test_stop_and_start() -> None:
    organisation = factories.organisation()
    manager = strategies.manager(organisation)
    strategy = strategies.running(organisation)

    stop_strategy(principal=manager, strategy=strategy)
    with pytest.raises(Conflict):
        stop_strategy(principal=manager, strategy=strategy)
    assert start_strategy(principal=manager, strategy=strategy).state == "running"


def test_a_foreign_strategy_is_read_only() -> None:
    strategy = strategies.running(is_shared=True)

    with pytest.raises(NotAllowed):
        save_draft(principal=strategies.manager(), strategy=strategy, graph={})
    with pytest.raises(Refusal):
        save_draft(principal=strategies.manager(strategy.organisation), strategy=strategy, graph=["no"])
