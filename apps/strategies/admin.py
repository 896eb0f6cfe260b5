"""Plain Django admin of strategies."""

from __future__ import annotations

from django.contrib import admin

from apps.strategies import models


@admin.register(models.Strategy)
class StrategyAdmin(admin.ModelAdmin):
    """Strategies; graphs are edited on their own page, where they are checked."""

    list_display = ("name", "organisation", "state", "is_shared", "updated_at")
    readonly_fields = ("draft", "state")


@admin.register(models.StrategyVersion, models.Trace, models.PendingRun)
class ImmutableAdmin(admin.ModelAdmin):
    """Versions never change; traces and pending runs come from services."""

    show_full_result_count = False

    def has_add_permission(self, request: object) -> bool:
        """Made by services."""
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        """Immutable."""
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        """Kept."""
        return False


@admin.register(models.StrategyBinding)
class BindingAdmin(admin.ModelAdmin):
    """Bindings are made on the strategy's page, where overlaps are refused."""

    list_display = ("strategy", "version", "scope", "covers_all_event_types", "is_active")
    readonly_fields = ("strategy", "version", "scope", "query", "cameras", "event_types")

    def has_add_permission(self, request: object) -> bool:
        """Made by services."""
        return False
