"""Writing a strategy's draft and checking it."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import Organisation
from apps.accounts.permissions import Principal
from apps.core import audit
from apps.core.errors import NotAllowed, Refusal
from apps.core.moves import locked
from apps.strategies.choices import StrategyState
from apps.strategies.engine.default import default_graph
from apps.strategies.engine.graph import Problem, check_graph
from apps.strategies.models import Strategy


def changeable(principal: Principal, strategy: Strategy) -> Strategy:
    """The strategy under its row lock; NotAllowed for one that the principal may only read."""
    principal.must("strategies.manage")
    if not Strategy.objects.filter(pk=strategy.pk).visible_to(principal, "change").exists():
        raise NotAllowed(
            "foreign_strategy", _("This strategy belongs to another organisation; copy it to change it.")
        )
    return locked(strategy)


@transaction.atomic
def create_strategy(
    *, principal: Principal, name: str, description: str = "", graph: dict[str, Any] | None = None
) -> Strategy:
    """A new draft of the principal's organisation; without a graph it begins as the default one."""
    principal.must("strategies.manage")
    if not name.strip():
        raise Refusal("name_missing", _("Give the strategy a name."), fields={"name": _("Missing.")})
    organisation = Organisation.objects.get(pk=principal.organisation_id)
    strategy = Strategy.objects.create(
        organisation=organisation,
        name=name.strip()[:200],
        description=description,
        draft=default_graph() if graph is None else graph,
    )
    audit.record(principal, "strategy.create", strategy, owner_id=organisation.pk)
    return strategy


@transaction.atomic
def save_draft(*, principal: Principal, strategy: Strategy, graph: Any) -> Strategy:
    """Keep a draft, however unfinished; a running strategy goes on with its published version."""
    row = changeable(principal, strategy)
    if not isinstance(graph, dict):
        text = _("A graph is a JSON object.")
        raise Refusal("not_a_graph", text, fields={"draft": text})
    row.draft = graph
    if row.state == StrategyState.CHECKED:
        row.state = StrategyState.DRAFT
    row.save(update_fields=["draft", "state", "updated_at"])
    audit.record(principal, "strategy.save_draft", row, owner_id=row.organisation_id)
    return row


@transaction.atomic
def check_strategy(*, principal: Principal, strategy: Strategy) -> list[Problem]:
    """The problems of the draft; a draft without any becomes checked."""
    row = changeable(principal, strategy)
    problems = check_graph(row.draft)
    if not problems and row.state == StrategyState.DRAFT:
        row.state = StrategyState.CHECKED
        row.save(update_fields=["state", "updated_at"])
    return problems
