"""The composition of the rooms; see portal/launcher for what starts them."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Settings, routes and the launcher's few commands."""

    name = "portal"
    verbose_name = "Vantage"

    def ready(self) -> None:
        # Here and not in portal/__init__.py, so that the launcher runs where nothing is configured yet.
        from portal.celery import app

        app.set_default()

        from portal import retention

        retention.register()
