from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    """Mechanisms without domain words."""

    name = "apps.core"
    label = "core"
    verbose_name = _("Core")

    def ready(self) -> None:
        from apps.core import outbox
        from apps.core.realtime.push import publish_pushes

        outbox.handlers.add("push", publish_pushes)
