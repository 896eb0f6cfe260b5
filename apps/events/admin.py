"""Plain Django admin of events: to read, not to change."""

from __future__ import annotations

from django.contrib import admin

from apps.events import models


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows come from services only."""

    def has_add_permission(self, request: object) -> bool:
        """Made by services."""
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        """Changed by services."""
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        """Deleted by the keeping times."""
        return False


@admin.register(models.Event)
class EventAdmin(ReadOnlyAdmin):
    """Events."""

    list_display = ("event_type", "camera", "time", "level", "occurrences", "review_state")
    list_filter = ("level", "review_state")
    show_full_result_count = False


@admin.register(models.RawEvent)
class RawEventAdmin(ReadOnlyAdmin):
    """Raw events."""

    list_display = ("item", "camera", "time", "score")
    show_full_result_count = False


@admin.register(models.Review)
class ReviewAdmin(ReadOnlyAdmin):
    """Reviews."""

    list_display = ("event", "verdict", "reviewer_name", "created_at", "undone_at", "told_at")
