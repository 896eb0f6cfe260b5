from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DevicesConfig(AppConfig):
    """Cameras, their streams, catalogue and access."""

    name = "apps.devices"
    label = "devices"
    verbose_name = _("Devices")

    def ready(self) -> None:
        from apps.accounts.signals import grant_changed
        from apps.devices import receivers
        from apps.devices.registry import media_kinds
        from apps.devices.services import media

        grant_changed.connect(receivers.on_grant_changed, dispatch_uid="devices.grant")
        media_kinds.add("capture", media.capture_item)
        media_kinds.add("cover", media.cover_item)
