"""Plain Django admin of algorithms."""

from django.contrib import admin

from apps.algorithms import models

admin.site.register([models.Algorithm, models.EventCodeMap])


@admin.register(models.AlgorithmPackage)
class PackageAdmin(admin.ModelAdmin):
    """Packages are immutable."""

    list_display = ("file_name", "platform", "runtime", "state", "created_at")

    def has_add_permission(self, request: object) -> bool:
        """Uploaded through the check only."""
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        """Immutable."""
        return False


@admin.register(models.AlgorithmVersion)
class VersionAdmin(admin.ModelAdmin):
    """Versions."""

    list_display = ("algorithm", "version", "is_listed")


@admin.register(models.EventType)
class EventTypeAdmin(admin.ModelAdmin):
    """Event types."""

    list_display = ("code", "name_zh", "name_en", "level", "review_policy")
    search_fields = ("code", "name_zh", "name_en")


@admin.register(models.DetectionItem)
class DetectionItemAdmin(admin.ModelAdmin):
    """Items and their mapping."""

    list_display = ("algorithm", "code", "event_type", "mapping_state")
    list_filter = ("mapping_state",)
