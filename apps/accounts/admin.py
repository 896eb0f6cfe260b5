"""Plain Django admin of accounts: what it changes goes through services, and into the audit trail."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from treebeard.admin import TreeAdmin
from treebeard.forms import movenodeform_factory

from apps.accounts import models, services
from apps.accounts.choices import EXCLUSIVE_ROLES
from apps.accounts.services.lockout import unlock_account
from apps.core import audit
from apps.core.audited_admin import AuditedAdmin


@admin.register(models.Organisation)
class OrganisationAdmin(AuditedAdmin, TreeAdmin):
    """The tree."""

    form = movenodeform_factory(models.Organisation, exclude=("path", "depth", "numchild"))
    list_display = ("name", "code", "kind", "is_data_authority")
    search_fields = ("name", "code")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Whose sites may frame its pages is in the trail by name."""
        super().save_model(request, obj, form, change)
        if "framing_origins" in form.changed_data:
            audit.record(
                request.principal,  # type: ignore[attr-defined]
                "organisation.framing",
                obj,
                owner_id=obj.pk,
                origins=obj.framing_origins,
            )


@admin.register(models.RoleBinding)
class RoleBindingAdmin(admin.ModelAdmin):
    """Giving and taking roles, for the security administrator."""

    list_display = ("user", "role", "created_at")
    list_filter = ("role",)
    search_fields = ("user__username", "user__display_name")
    autocomplete_fields = ("user",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A role is given or taken, never turned into another."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Through the service, which refuses what must not be."""
        made = services.bind_role(by=request.principal, user=obj.user, role=obj.role)  # type: ignore[attr-defined]
        obj.pk, obj._state.adding = made.pk, False

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Through the service."""
        services.unbind_role(by=request.principal, user=obj.user, role=obj.role)  # type: ignore[attr-defined]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Each through the service."""
        for binding in queryset:
            self.delete_model(request, binding)


@admin.register(models.User)
class UserAdmin(AuditedAdmin, DjangoUserAdmin):
    """Accounts, for the system administrator: who they are, never what they may.

    A password set here must be changed at the next login. The accounts of administrators are closed to it
    (else whoever sets passwords holds every role); they are reset on the machine: `make_administrator`.
    """

    list_display = ("username", "display_name", "organisation", "is_active", "has_second_factor")
    list_filter = ("is_active", "organisation")
    readonly_fields = ("roles", "has_second_factor", "must_change_password", "last_login", "date_joined")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password", "is_active")}),
        (_("organisation"), {"fields": ("organisation", "display_name", "phone", "limited_to_directories")}),
        (None, {"fields": readonly_fields}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "organisation", "password1", "password2")}),
    )
    actions = ("unlock", "end_all_sessions")

    @admin.display(description=_("Roles"))
    def roles(self, user: models.User) -> str:
        """In words."""
        return ", ".join(binding.get_role_display() for binding in user.role_bindings.all()) or "–"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not for an administrator's account, one's own included."""
        if obj is not None and obj.role_bindings.filter(role__in=EXCLUSIVE_ROLES).exists():
            return False
        return bool(super().has_change_permission(request, obj))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A new account begins with a password that somebody else knows; a closed one has no session left."""
        obj.must_change_password = obj.must_change_password or not change
        super().save_model(request, obj, form, change)
        if not obj.is_active:
            services.end_sessions(by=request.principal, user=obj)  # type: ignore[attr-defined]

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        """Django's page, then what follows a password."""
        user = self.get_object(request, id)
        before = user.password if user else ""
        answer = super().user_change_password(request, id, form_url)
        if user is not None:
            user.refresh_from_db()
            if user.password != before:
                services.password_changed(by=request.principal, user=user)  # type: ignore[attr-defined]
        return answer

    @admin.action(description=_("Forget wrong passwords (unlock)"), permissions=["security"])
    def unlock(self, request: HttpRequest, users: QuerySet[Any]) -> None:
        """End the lock of these accounts."""
        for user in users:
            unlock_account(by=request.principal, user=user)  # type: ignore[attr-defined]

    @admin.action(description=_("End all sessions"), permissions=["security"])
    def end_all_sessions(self, request: HttpRequest, users: QuerySet[Any]) -> None:
        """Log these people out everywhere."""
        for user in users:
            services.end_sessions(by=request.principal, user=user)  # type: ignore[attr-defined]
        messages.success(request, _("Their sessions ended."))

    def has_security_permission(self, request: HttpRequest) -> bool:
        """For the security administrator."""
        return bool(request.principal.can("roles.grant"))  # type: ignore[attr-defined]


@admin.register(models.Grant)
class GrantAdmin(admin.ModelAdmin):
    """Grants are read here; they are given and ended by services."""

    list_display = ("grantee_name", "actions", "valid_from", "valid_to", "state")
    list_filter = ("state",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Given by an approval, not by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Immutable here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Kept as proof."""
        return False
