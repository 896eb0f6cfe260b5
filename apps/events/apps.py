from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EventsConfig(AppConfig):
    """Raw events, events, reviews, the live feed."""

    name = "apps.events"
    label = "events"
    verbose_name = _("Events")

    def ready(self) -> None:
        from apps.core import outbox, periodic
        from apps.core.realtime import topics
        from apps.devices.registry import media_kinds
        from apps.events import selectors, services, tasks

        outbox.handlers.add("event.reviewed", services.tell_reviews)
        topics.providers.add("events", selectors.event_hearing)
        media_kinds.add("event", selectors.event_item)
        media_kinds.add("occurrence", selectors.occurrence_item)
        periodic.schedule.add("events.close_ended", periodic.Periodic(tasks.close_ended, 5))
        periodic.schedule.add("events.expire_unreviewed", periodic.Periodic(tasks.expire_unreviewed, 60))
