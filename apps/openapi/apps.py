from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class OpenapiConfig(AppConfig):
    """Apps, keys, subscriptions, deliveries."""

    name = "apps.openapi"
    label = "openapi"
    verbose_name = _("Open platform")

    def ready(self) -> None:
        from apps.core import rotation
        from apps.devices.registry import link_holders
        from apps.events.signals import event_changed
        from apps.openapi import metrics, permissions, receivers
        from apps.openapi.services.links import HOLDER
        from apps.openapi.services.secrets import not_under_present_key, resealed

        event_changed.connect(receivers.on_event_changed, dispatch_uid="openapi.event")
        post_migrate.connect(receivers.after_migrate, sender=self, dispatch_uid="openapi.services")
        link_holders.add(HOLDER, permissions.principal_of_subscription)
        link_holders.add("app", permissions.principal_of_live_app)
        metrics.register()
        rotation.holders.add("openapi.secrets", rotation.Column(not_under_present_key, "secrets", resealed))
