"""Plain Django admin of the analysis room."""

from django.contrib import admin

from apps.analysis import models
from apps.core.bounded_admin import SiteAdmin


@admin.register(models.AnalysisTask)
class TaskAdmin(admin.ModelAdmin):
    """Tasks; changed through services only, so the admin reads."""

    list_display = ("name", "organisation", "state", "sampling", "interval", "created_at")
    list_filter = ("state", "sampling")
    search_fields = ("name",)

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        """Read only."""
        return False

    def has_add_permission(self, request: object) -> bool:
        """Tasks are made on the product pages."""
        return False


@admin.register(models.Execution)
class ExecutionAdmin(admin.ModelAdmin):
    """What runs; read only."""

    list_display = ("camera", "version", "sampling", "interval", "state", "state_reason", "last_outcome")
    list_filter = ("state", "sampling")

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        """Read only."""
        return False

    def has_add_permission(self, request: object) -> bool:
        """Executions come from tasks."""
        return False


@admin.register(models.Plan)
class PlanAdmin(admin.ModelAdmin):
    """Plans."""

    list_display = ("name", "organisation", "kind", "is_shared")


@admin.register(models.WorkCalendarDay)
class WorkCalendarAdmin(SiteAdmin, admin.ModelAdmin):
    """Public holidays and made-up workdays."""

    list_display = ("date", "is_workday", "name")
    ordering = ("-date",)
