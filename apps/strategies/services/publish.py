"""Publishing a version, stopping and starting."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from apps.accounts.permissions import Principal
from apps.core import audit, clock
from apps.core.errors import Refusal
from apps.core.moves import move
from apps.strategies.choices import STRATEGY_MOVES, StrategyState
from apps.strategies.engine.graph import Problem, check_graph
from apps.strategies.models import Strategy, StrategyBinding, StrategyVersion
from apps.strategies.services.draft import changeable


class GraphRefused(Refusal):
    """The draft has problems; `problems` names them per node."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(
            "graph_problems",
            _("The graph cannot run yet. Mend what is listed, then publish again."),
            fields={problem.node or "graph": problem.text for problem in problems},
        )
        self.problems = problems


@transaction.atomic
def publish_strategy(*, principal: Principal, strategy: Strategy) -> StrategyVersion:
    """Freeze the draft as the next version, run it, and move the strategy's bindings to it.

    Raises GraphRefused (code `graph_problems`). Versions never change afterwards.
    """
    row = changeable(principal, strategy)
    problems = check_graph(row.draft)
    if problems:
        raise GraphRefused(problems)
    last = row.versions.aggregate(last=Max("number"))["last"] or 0
    version = StrategyVersion.objects.create(
        strategy=row, number=last + 1, graph=row.draft, published_by=principal.user
    )
    StrategyBinding.objects.filter(strategy=row).update(version=version, updated_at=clock.now())
    if row.state == StrategyState.DRAFT:
        row = move(row, StrategyState.CHECKED, STRATEGY_MOVES)
    if row.state != StrategyState.RUNNING:
        move(row, StrategyState.RUNNING, STRATEGY_MOVES, updated_at=clock.now())
    audit.record(principal, "strategy.publish", row, owner_id=row.organisation_id, version=version.number)
    return version


@transaction.atomic
def stop_strategy(*, principal: Principal, strategy: Strategy) -> Strategy:
    """Its bindings decide nothing from the next raw event on."""
    row = changeable(principal, strategy)
    row = move(row, StrategyState.STOPPED, STRATEGY_MOVES, updated_at=clock.now())
    audit.record(principal, "strategy.stop", row, owner_id=row.organisation_id)
    return row


@transaction.atomic
def start_strategy(*, principal: Principal, strategy: Strategy) -> Strategy:
    """Run a stopped strategy again with its last version."""
    row = changeable(principal, strategy)
    if not row.versions.exists():
        raise Refusal("nothing_published", _("Publish a version first."))
    row = move(row, StrategyState.RUNNING, STRATEGY_MOVES, updated_at=clock.now())
    audit.record(principal, "strategy.start", row, owner_id=row.organisation_id)
    return row
