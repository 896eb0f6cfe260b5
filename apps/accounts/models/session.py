"""Sessions that know whose they are, so that a person sees and ends their own. This module is SESSION_ENGINE."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.translation import gettext_lazy as _


class Session(AbstractBaseSession):
    """A session in the database; `user` is null until somebody logs in.

    When it began, when a person last did something, from where: these stand in the session's own data.
    """

    user = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, null=True, related_name="sessions", verbose_name=_("user")
    )

    class Meta(AbstractBaseSession.Meta):
        verbose_name = _("session")
        verbose_name_plural = _("sessions")

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        """What reads this table."""
        return SessionStore


class SessionStore(DatabaseStore):
    """Django's store over our table."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Our table."""
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row with its user."""
        row: Session = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        return row
