from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DevicesConfig(AppConfig):
    """Cameras, their streams, catalogue and access."""

    name = "apps.devices"
    label = "devices"
    verbose_name = _("Devices")
