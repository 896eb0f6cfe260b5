"""Leases of long processes: who does a thing now, until when, with which fencing token."""

from __future__ import annotations

from django.db import models


class ProcessLease(models.Model):
    """One row per long-lived duty; the holder renews it, a later holder gets a higher fence."""

    name = models.CharField(max_length=100, primary_key=True)
    holder = models.CharField(max_length=200)
    fence = models.BigIntegerField(default=0)
    renewed_at = models.DateTimeField()
    until = models.DateTimeField()
    detail = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.name} {self.holder}"
