"""Closed lists and move tables of the strategies room."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class StrategyState(TextChoices):
    """draft → checked → running ⇄ stopped."""

    DRAFT = "draft", _("Draft")
    CHECKED = "checked", _("Checked")
    RUNNING = "running", _("Running")
    STOPPED = "stopped", _("Stopped")


STRATEGY_MOVES = {
    StrategyState.DRAFT: frozenset({StrategyState.CHECKED}),
    StrategyState.CHECKED: frozenset({StrategyState.RUNNING, StrategyState.DRAFT}),
    StrategyState.RUNNING: frozenset({StrategyState.STOPPED}),
    StrategyState.STOPPED: frozenset({StrategyState.RUNNING, StrategyState.DRAFT}),
}


class Scope(TextChoices):
    """Which cameras a binding covers; a list beats a query beats all."""

    ALL = "all", _("All cameras")
    LIST = "list", _("A list")
    QUERY = "query", _("A tag query")


class TraceVerdict(TextChoices):
    """How a run ended."""

    RAISED = "raised", _("Raised")
    MERGED = "merged", _("Attached to a main event")
    STOPPED = "stopped", _("Stopped")
    FAILED = "failed", _("Failed")
