from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OpenapiConfig(AppConfig):
    """Apps, keys, subscriptions, deliveries."""

    name = "apps.openapi"
    label = "openapi"
    verbose_name = _("Open platform")
