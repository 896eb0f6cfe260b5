"""Plain Django admin of the open platform: its services, for operators."""

from django.contrib import admin

from apps.core.bounded_admin import SiteAdmin
from apps.openapi import models


@admin.register(models.Service)
class ServiceAdmin(SiteAdmin, admin.ModelAdmin):
    """Services are put on and off line here; no key reaches one that is off line."""

    list_display = ("code", "name", "state")
    list_editable = ("state",)
    readonly_fields = ("code", "name", "scope")
