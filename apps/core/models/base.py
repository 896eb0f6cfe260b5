"""Base models: a UUIDv7 primary key, and when a row was made and changed."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.ids import uuid7


class IdModel(models.Model):
    """A row with a UUIDv7 made in Python: time-ordered, so indexes stay compact."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        abstract = True


class StampedModel(IdModel):
    """A row that knows when it was made and last changed (UTC)."""

    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        abstract = True
