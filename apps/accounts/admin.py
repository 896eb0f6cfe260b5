"""Plain Django admin of accounts."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.utils.translation import gettext_lazy as _
from treebeard.admin import TreeAdmin
from treebeard.forms import movenodeform_factory

from apps.accounts import models
from apps.accounts.choices import EXCLUSIVE_ROLES


@admin.register(models.Organisation)
class OrganisationAdmin(TreeAdmin):
    """The tree."""

    form = movenodeform_factory(models.Organisation, exclude=("path", "depth", "numchild"))
    list_display = ("name", "code", "kind", "is_data_authority")
    search_fields = ("name", "code")


class RoleFormSet(BaseInlineFormSet):
    """System, security and audit administrator are held by different people."""

    def clean(self) -> None:
        """Refuses two of the exclusive roles, as `bind_role` does."""
        super().clean()
        kept = {
            form.cleaned_data["role"]
            for form in self.forms
            if form.cleaned_data.get("role") and not form.cleaned_data.get("DELETE")
        }
        if len(kept & EXCLUSIVE_ROLES) > 1:
            raise ValidationError(_("System, security and audit administrator are held by different people."))


class RoleInline(admin.TabularInline):
    """Roles of a user."""

    model = models.RoleBinding
    formset = RoleFormSet
    extra = 0


@admin.register(models.User)
class UserAdmin(DjangoUserAdmin):
    """Users with their organisation and roles."""

    list_display = ("username", "display_name", "organisation", "is_active", "is_staff")
    inlines = (RoleInline,)
    fieldsets = (
        *DjangoUserAdmin.fieldsets,
        (_("organisation"), {"fields": ("organisation", "display_name", "phone", "limited_to_directories")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "organisation", "password1", "password2")}),
    )


@admin.register(models.Grant)
class GrantAdmin(admin.ModelAdmin):
    """Grants are read here; they are given and ended by services."""

    list_display = ("grantee_name", "actions", "valid_from", "valid_to", "state")
    list_filter = ("state",)

    def has_add_permission(self, request: object) -> bool:
        """Given by an approval, not by hand."""
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        """Immutable here."""
        return False
