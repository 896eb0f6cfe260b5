from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    """Mechanisms without domain words."""

    name = "apps.core"
    label = "core"
    verbose_name = _("Core")

    def ready(self) -> None:
        from apps.core import audit, outbox, periodic, tasks
        from apps.core.realtime.push import publish_pushes

        checkpoint: Any = tasks.checkpoint_audit
        reseal: Any = tasks.reseal
        outbox.handlers.add("push", publish_pushes)
        outbox.handlers.add("audit", audit.chain_notes)
        outbox.handlers.add("audit.session", audit.chain_sessions)
        periodic.schedule.add("core.checkpoint_audit", periodic.Periodic(checkpoint, 60))
        periodic.schedule.add("core.reseal", periodic.Periodic(reseal, 60))
