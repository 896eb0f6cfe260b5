"""The second factor of a person: a time-based one-time password (RFC 6238) and its recovery codes."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models.user import User
from apps.core.models import IdModel, StampedModel


class SecondFactor(StampedModel):
    """The shared secret, sealed. It counts once `confirmed_at` is set by a first right code.

    `last_step` is the newest 30-second step whose code was taken: no code works twice.
    """

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, related_name="second_factor", verbose_name=_("user")
    )
    secret = models.CharField(max_length=400)
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=-1)
    failures = models.PositiveSmallIntegerField(default=0)
    blocked_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.user)


class RecoveryCode(IdModel):
    """A code that opens the door once when the telephone is lost; only its keyed hash is stored."""

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="recovery_codes", verbose_name=_("user")
    )
    digest = models.CharField(max_length=64)
    key_id = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once")]

    def __str__(self) -> str:
        return str(self.user)
