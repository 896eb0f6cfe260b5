from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnalysisConfig(AppConfig):
    """Scenes, tasks, plans, executions, slots."""

    name = "apps.analysis"
    label = "analysis"
    verbose_name = _("Analysis")

    def ready(self) -> None:
        from apps.analysis import receivers
        from apps.analysis.selectors.privacy import privacy_masks_of
        from apps.devices.registry import privacy_masks
        from apps.devices.signals import camera_changed

        camera_changed.connect(receivers.on_camera_changed, dispatch_uid="analysis.camera")
        privacy_masks.add("scenes", privacy_masks_of)
