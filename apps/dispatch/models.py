"""Machines that run inference."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.models import StampedModel
from apps.dispatch.choices import UnitKind
from apps.dispatch.querysets import NodeQuerySet


class ComputeNode(StampedModel):
    """计算节点: heartbeats every 5 s; silent for 15 s it counts as lost."""

    name = models.CharField(_("name"), max_length=64, unique=True)
    address = models.CharField(max_length=100, blank=True)
    heartbeat_at = models.DateTimeField(_("last heartbeat"), null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    facts = models.JSONField(default=dict)
    load = models.JSONField(default=dict)
    is_drained = models.BooleanField(_("drained"), default=False)

    objects = NodeQuerySet.as_manager()

    class Meta:
        verbose_name = _("compute node")
        verbose_name_plural = _("compute nodes")

    def __str__(self) -> str:
        return self.name


class ComputeUnit(StampedModel):
    """计算单元: one GPU or CPU share of a node."""

    node = models.ForeignKey(ComputeNode, on_delete=models.CASCADE, related_name="units")
    kind = models.CharField(_("kind"), max_length=8, choices=UnitKind.choices)
    index = models.PositiveSmallIntegerField(default=0)
    name = models.CharField(max_length=100, blank=True)
    memory_mb = models.PositiveIntegerField(default=0)

    objects = NodeQuerySet.as_manager()

    class Meta:
        verbose_name = _("compute unit")
        verbose_name_plural = _("compute units")
        constraints = [models.UniqueConstraint(fields=["node", "kind", "index"], name="compute_unit_once")]

    def __str__(self) -> str:
        return f"{self.node} {self.kind}{self.index}"
