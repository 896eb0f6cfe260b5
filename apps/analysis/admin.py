"""Plain Django admin of the analysis room."""

from django.contrib import admin

from apps.analysis import models
from apps.core.bounded_admin import SiteAdmin


@admin.register(models.WorkCalendarDay)
class WorkCalendarAdmin(SiteAdmin, admin.ModelAdmin):
    """Public holidays and made-up workdays."""

    list_display = ("date", "is_workday", "name")
    ordering = ("-date",)
