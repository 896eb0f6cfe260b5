"""The composition of the rooms; see portal/launcher for what starts them."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Settings, routes and the launcher's few commands."""

    name = "portal"
    verbose_name = "Vantage"
