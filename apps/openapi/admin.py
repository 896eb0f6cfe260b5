"""Plain Django admin of the open platform; nothing secret is shown."""

from django.contrib import admin

from apps.openapi import models


@admin.register(models.App)
class AppAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Apps."""

    list_display = ("name", "organisation", "is_active")
    search_fields = ("name",)


@admin.register(models.Service)
class ServiceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Services can be put on and off line here."""

    list_display = ("code", "name", "state")
    list_editable = ("state",)
    readonly_fields = ("code", "scope")
