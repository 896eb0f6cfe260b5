"""Time plans and the work calendar."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organisation
from apps.analysis.choices import PlanKind
from apps.analysis.querysets import PlanQuerySet
from apps.core.models import IdModel, StampedModel


class Plan(StampedModel):
    """时间计划. `periods`: `[{"days": [1..7], "begin": "08:00", "end": "24:00"}]` in Asia/Shanghai;
    an end at or before its beginning runs over midnight. ALL_DAY and WORKDAYS need no periods."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="plans")
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=16, choices=PlanKind.choices, default=PlanKind.ALL_DAY)
    periods = models.JSONField(_("periods"), default=list, blank=True)
    is_shared = models.BooleanField(_("shared"), default=False)

    objects = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")

    def __str__(self) -> str:
        return self.name


class WorkCalendarDay(IdModel):
    """A day that differs from its weekday: a public holiday (法定节假日) or a made-up workday (调休)."""

    date = models.DateField(_("date"), unique=True)
    is_workday = models.BooleanField(_("workday"))
    name = models.CharField(_("name"), max_length=100, blank=True)

    def __str__(self) -> str:
        return f"{self.date} {self.name}"
