"""What we promise is a row before it is a message."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from apps.core.models.base import IdModel


class OutboxMessage(IdModel):
    """A message written in the transaction of the change it tells of; the relay sends it afterwards.

    `key` groups messages that must stay in order (a camera, an event); `fence` grows with each lease.
    """

    topic = models.CharField(max_length=64)
    key = models.CharField(max_length=64, blank=True)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [models.Index(fields=["due_at", "id"], name="outbox_due")]

    def __str__(self) -> str:
        return f"{self.topic} {self.id}"


class Push(models.Model):
    """A message for open pages, numbered by the relay: a page that lost its socket asks for `since=seq`."""

    seq = models.BigAutoField(primary_key=True)
    message = models.UUIDField(unique=True)
    topics = ArrayField(models.CharField(max_length=120))
    kind = models.CharField(max_length=64)
    object_id = models.UUIDField()
    summary = models.JSONField(default=dict)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [GinIndex(fields=["topics"], name="push_topics")]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"


class PermissionEpoch(models.Model):
    """One row whose value grows with every change of rights; open sockets compare and rebuild."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    value = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.value)
