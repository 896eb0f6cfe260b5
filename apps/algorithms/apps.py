from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AlgorithmsConfig(AppConfig):
    """Packages, algorithms, event types."""

    name = "apps.algorithms"
    label = "algorithms"
    verbose_name = _("Algorithms")

    def ready(self) -> None:
        from apps.algorithms.models import EventTypeGrant
        from apps.algorithms.tasks import check_links, check_packages
        from apps.core import rotation
        from apps.core.periodic import Periodic, schedule
        from apps.core.wake import topics

        topics.add("packages", check_packages)
        schedule.add("algorithms.check_packages", Periodic(check_packages, 60))
        schedule.add("algorithms.check_links", Periodic(check_links, 3600))
        rotation.holders.add("algorithms.eventtypegrant", rotation.sealed_rows(EventTypeGrant))
