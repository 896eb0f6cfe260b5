"""Plain Django admin of algorithms."""

from django.contrib import admin

from apps.algorithms import models
from apps.core.bounded_admin import SiteAdmin, VisibleAdmin


@admin.register(models.Algorithm, models.EventCodeMap)
class SharedAdmin(SiteAdmin, admin.ModelAdmin):
    """Rows of the site."""


@admin.register(models.AlgorithmPackage)
class PackageAdmin(VisibleAdmin, admin.ModelAdmin):
    """Packages are immutable."""

    list_display = ("file_name", "platform", "runtime", "state", "created_at")

    def has_add_permission(self, request: object) -> bool:
        """Uploaded through the check only."""
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        """Immutable."""
        return False


@admin.register(models.AlgorithmVersion)
class VersionAdmin(SiteAdmin, admin.ModelAdmin):
    """Versions."""

    list_display = ("algorithm", "version", "is_listed")


@admin.register(models.EventType)
class EventTypeAdmin(SiteAdmin, admin.ModelAdmin):
    """Event types."""

    list_display = ("code", "name_zh", "name_en", "level", "review_policy")
    search_fields = ("code", "name_zh", "name_en")


@admin.register(models.DetectionItem)
class DetectionItemAdmin(SiteAdmin, admin.ModelAdmin):
    """Items and their mapping."""

    list_display = ("algorithm", "code", "event_type", "mapping_state")
    list_filter = ("mapping_state",)
