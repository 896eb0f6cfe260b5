from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EventsConfig(AppConfig):
    """Raw events, events, reviews, the live feed."""

    name = "apps.events"
    label = "events"
    verbose_name = _("Events")
