"""Strategies, their immutable published versions, and where they run."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organisation, User
from apps.algorithms.models import EventType
from apps.analysis.models import Plan
from apps.core.models import IdModel, StampedModel
from apps.devices.models import Camera
from apps.strategies.choices import Scope, StrategyState
from apps.strategies.querysets import OnStrategyQuerySet, StrategyQuerySet


class Strategy(StampedModel):
    """策略: a graph (1-domain §7); `draft` is edited, versions are published."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="strategies")
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    state = models.CharField(
        _("state"), max_length=16, choices=StrategyState.choices, default=StrategyState.DRAFT
    )
    draft = models.JSONField(default=dict)
    is_shared = models.BooleanField(_("shared"), default=False)

    objects = StrategyQuerySet.as_manager()

    class Meta:
        verbose_name = _("strategy")
        verbose_name_plural = _("strategies")

    def __str__(self) -> str:
        return self.name


class StrategyVersion(IdModel):
    """A published graph; never changes."""

    strategy = models.ForeignKey(Strategy, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    graph = models.JSONField()
    published_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(_("published"), auto_now_add=True)

    objects = OnStrategyQuerySet.as_manager()

    class Meta:
        verbose_name = _("strategy version")
        verbose_name_plural = _("strategy versions")
        constraints = [models.UniqueConstraint(fields=["strategy", "number"], name="strategy_version")]

    def __str__(self) -> str:
        return f"{self.strategy} v{self.number}"


class StrategyBinding(StampedModel):
    """策略运行配置: version × (all / list / tag query) × plan × event types (a list, or all of them)."""

    strategy = models.ForeignKey(Strategy, on_delete=models.CASCADE, related_name="bindings")
    version = models.ForeignKey(StrategyVersion, on_delete=models.PROTECT, related_name="bindings")
    scope = models.CharField(_("scope"), max_length=8, choices=Scope.choices, default=Scope.ALL)
    cameras = models.ManyToManyField(Camera, related_name="strategy_bindings", blank=True)
    query = models.JSONField(default=dict, blank=True)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    event_types = models.ManyToManyField(EventType, related_name="strategy_bindings", blank=True)
    covers_all_event_types = models.BooleanField(_("all event types, later ones too"), default=False)
    is_active = models.BooleanField(_("active"), default=True)

    objects = OnStrategyQuerySet.as_manager()

    class Meta:
        verbose_name = _("strategy binding")
        verbose_name_plural = _("strategy bindings")

    def __str__(self) -> str:
        return f"{self.version} ({self.scope})"
