"""Plain Django admin of the dispatch room."""

from django.contrib import admin

from apps.dispatch import models


@admin.register(models.ComputeNode)
class NodeAdmin(admin.ModelAdmin):
    """Nodes; `drained` takes no new work."""

    list_display = ("name", "address", "heartbeat_at", "is_drained")
    readonly_fields = ("name", "address", "heartbeat_at", "started_at", "facts", "load")
