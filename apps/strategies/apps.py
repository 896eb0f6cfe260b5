from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StrategiesConfig(AppConfig):
    """Strategies, bindings, traces."""

    name = "apps.strategies"
    label = "strategies"
    verbose_name = _("Strategies")

    def ready(self) -> None:
        from apps.core import periodic, wake
        from apps.events.signals import raw_events_recorded
        from apps.strategies import receivers, tasks

        raw_events_recorded.connect(receivers.on_raw_events_recorded, dispatch_uid="strategies.queue")
        wake.topics.add("strategies", tasks.run_pending)
        periodic.schedule.add("strategies.run_pending", periodic.Periodic(tasks.run_pending, 2))
