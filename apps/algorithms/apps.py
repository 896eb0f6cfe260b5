from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AlgorithmsConfig(AppConfig):
    """Packages, algorithms, event types."""

    name = "apps.algorithms"
    label = "algorithms"
    verbose_name = _("Algorithms")

    def ready(self) -> None:
        from apps.algorithms.tasks import check_packages
        from apps.core.periodic import Periodic, schedule
        from apps.core.wake import topics

        topics.add("packages", check_packages)
        schedule.add("algorithms.check_packages", Periodic(check_packages, 60))
