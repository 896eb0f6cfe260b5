"""Reviews."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.models import IdModel
from apps.events.choices import FalseAlarmReason, ReviewSource, Verdict
from apps.events.models.event import Event
from apps.events.querysets import OnEventQuerySet


class Review(IdModel):
    """研判: one verdict. For 10 s it can be undone (`undone_at`); then it is told (`told_at`)."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="reviews")
    verdict = models.CharField(_("verdict"), max_length=16, choices=Verdict.choices)
    reason = models.CharField(_("reason"), max_length=16, choices=FalseAlarmReason.choices, blank=True)
    note = models.CharField(_("note"), max_length=500, blank=True)
    source = models.CharField(max_length=16, choices=ReviewSource.choices, default=ReviewSource.WORKBENCH)
    reviewer = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="reviews"
    )
    reviewer_name = models.CharField(max_length=200, blank=True)
    previous_state = models.CharField(max_length=16)
    created_at = models.DateTimeField(_("time"))
    undone_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)

    objects = OnEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        indexes = [models.Index(fields=["event", "-created_at"], name="review_event_time")]

    def __str__(self) -> str:
        return f"{self.verdict} {self.reviewer_name}"
