"""What belongs to one user: saved filters, jobs of the task centre, notifications."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.choices import JobState
from apps.accounts.models.user import User
from apps.accounts.querysets import OwnQuerySet
from apps.core.models import StampedModel


class SavedFilter(StampedModel):
    """A page's filter under a name; the query string is what the URL would hold."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_filters")
    page = models.CharField(max_length=64)
    name = models.CharField(_("name"), max_length=100)
    query = models.CharField(max_length=2000)

    objects = OwnQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "page", "name"], name="saved_filter_name")]

    def __str__(self) -> str:
        return self.name


class Job(StampedModel):
    """Long work of one user: progress, result, per-row errors, cancel."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="jobs")
    kind = models.CharField(_("kind"), max_length=64)
    title = models.CharField(_("title"), max_length=200)
    state = models.CharField(_("state"), max_length=16, choices=JobState.choices, default=JobState.QUEUED)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    result = models.JSONField(default=dict)
    errors = models.JSONField(default=list)

    objects = OwnQuerySet.as_manager()

    def __str__(self) -> str:
        return self.title


class Notification(StampedModel):
    """A short message for one user with the page it leads to."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=64)
    title = models.CharField(_("title"), max_length=200)
    body = models.CharField(max_length=500, blank=True)
    link = models.CharField(max_length=300, blank=True)
    read_at = models.DateTimeField(null=True)

    objects = OwnQuerySet.as_manager()

    def __str__(self) -> str:
        return self.title
