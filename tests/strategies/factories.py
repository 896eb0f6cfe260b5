"""Running strategies for the tests of this room."""

from __future__ import annotations

from typing import Any

from apps.accounts.models import Organisation
from apps.accounts.permissions import Principal
from apps.strategies.engine.default import default_graph
from apps.strategies.models import Strategy, StrategyBinding, StrategyVersion
from tests.support import factories


def manager(organisation: Organisation | None = None) -> Principal:
    """Somebody who may manage strategies."""
    return factories.principal(organisation, ("algorithm_arranger",))


def graph(window_s: float = 3) -> dict[str, Any]:
    """The default graph with a short window."""
    return default_graph(window_s=window_s, intervals=0)


def running(
    organisation: Organisation | None = None, *, graph_: dict[str, Any] | None = None, **fields: Any
) -> Strategy:
    """A running strategy with version 1 and no binding."""
    strategy = Strategy.objects.create(
        organisation=organisation or factories.organisation(),
        name=fields.pop("name", "策略"),
        state="running",
        draft=graph_ or graph(),
        **fields,
    )
    StrategyVersion.objects.create(strategy=strategy, number=1, graph=strategy.draft)
    return strategy


def everywhere(**fields: Any) -> StrategyBinding:
    """A shared strategy bound to all cameras and all event types."""
    strategy = running(is_shared=True, **fields)
    return StrategyBinding.objects.create(
        strategy=strategy, version=strategy.versions.get(), scope="all", covers_all_event_types=True
    )
