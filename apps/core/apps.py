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

        outbox.handlers.add("push", publish_pushes)
        outbox.handlers.add("audit", audit.chain_notes)
        periodic.schedule.add("core.checkpoint_audit", periodic.Periodic(tasks.checkpoint_audit, 60))
        periodic.schedule.add("core.reseal", periodic.Periodic(tasks.reseal, 60))
