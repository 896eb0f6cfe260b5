"""The strategy that decides where nobody made another."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_noop

from apps.accounts.models import Organisation
from apps.accounts.permissions import SYSTEM
from apps.core import audit
from apps.strategies.choices import Scope, StrategyState
from apps.strategies.engine.default import default_graph
from apps.strategies.models import Strategy, StrategyBinding, StrategyVersion

NAME = gettext_noop("Default strategy")


@transaction.atomic
def ensure_default_strategy(organisation: Organisation, *, window_s: float = 60) -> Strategy:
    """Make, once, the shared strategy confidence → size → region → merge → event, bound to all cameras and types.

    It belongs to `organisation` (the platform's); called again it changes nothing. Every other binding beats it.
    """
    existing = StrategyBinding.objects.filter(
        scope=Scope.ALL, covers_all_event_types=True, strategy__is_shared=True, is_active=True
    ).first()
    if existing is not None:
        return existing.strategy
    strategy = Strategy.objects.create(
        organisation=organisation,
        name=NAME,
        state=StrategyState.RUNNING,
        draft=default_graph(window_s=window_s),
        is_shared=True,
    )
    version = StrategyVersion.objects.create(strategy=strategy, number=1, graph=strategy.draft)
    StrategyBinding.objects.create(
        strategy=strategy, version=version, scope=Scope.ALL, covers_all_event_types=True
    )
    audit.record(SYSTEM, "strategy.publish", strategy, owner_id=organisation.pk, version=1)
    return strategy
