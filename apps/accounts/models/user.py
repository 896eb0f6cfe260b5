"""Users and the roles they hold."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.choices import RoleCode
from apps.accounts.models.organisation import Organisation
from apps.accounts.querysets import UserManager
from apps.core.ids import uuid7
from apps.core.models import EncryptedTextField, IdModel, SealedQuerySet, SealedRow


class User(AbstractUser):
    """A person of exactly one organisation."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="users", verbose_name=_("organisation")
    )
    display_name = models.CharField(_("name"), max_length=100, blank=True)
    phone = EncryptedTextField(_("phone"), max_length=32, blank=True)
    email = EncryptedTextField(_("email address"), max_length=254, blank=True)
    limited_to_directories = models.BooleanField(
        _("limited to directories"),
        default=False,
        help_text=_("Sees only the cameras of the directories this person or their roles were given."),
    )
    must_change_password = models.BooleanField(_("must change password"), default=False)
    has_second_factor = models.BooleanField(
        _("has a second factor"), default=False, db_default=False, editable=False
    )

    objects = UserManager()
    REQUIRED_FIELDS = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            # Django's superuser is above every role; here nobody is.
            models.CheckConstraint(condition=models.Q(is_superuser=False), name="nobody_is_superuser")
        ]

    def __str__(self) -> str:
        return self.display_name or self.username


class RoleBinding(SealedRow, IdModel):
    """A user holds a role. A binding whose keyed hash fails gives nothing."""

    sealed_fields = ("user_id", "role")

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="role_bindings", verbose_name=_("user")
    )
    role = models.CharField(_("role"), max_length=32, choices=RoleCode.choices)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = SealedQuerySet.as_manager()

    class Meta:
        verbose_name = _("role binding")
        verbose_name_plural = _("role bindings")
        constraints = [models.UniqueConstraint(fields=["user", "role"], name="role_binding_once")]

    def __str__(self) -> str:
        return f"{self.user} – {self.get_role_display()}"
