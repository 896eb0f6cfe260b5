from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DevicesConfig(AppConfig):
    """Cameras, their streams, catalogue and access."""

    name = "apps.devices"
    label = "devices"
    verbose_name = _("Devices")

    def ready(self) -> None:
        from apps.accounts.signals import grant_changed
        from apps.core.signals import seal_broken
        from apps.devices import receivers
        from apps.devices.registry import media_kinds
        from apps.devices.services import media

        grant_changed.connect(receivers.on_grant_changed, dispatch_uid="devices.grant")
        seal_broken.connect(receivers.on_seal_broken, dispatch_uid="devices.seal_broken")
        media_kinds.add("capture", media.capture_item)
        media_kinds.add("cover", media.cover_item)
        _watch()


def _watch() -> None:
    """Keeping times, rights that are checked, odd looking, and what a change of keys rewrites."""
    from apps.core import periodic, retention, rotation
    from apps.devices import models, tasks
    from apps.devices.choices import MediaClass
    from apps.devices.services import retention as own
    from apps.devices.services.storage.renewing import CaptureHolder, CoverHolder

    for media_class in MediaClass:
        kind = own.CoverKind() if media_class == MediaClass.COVER else own.CaptureKind(media_class)
        retention.kinds.add(media_class.value, kind)
    periodic.schedule.add("devices.delete_expired", periodic.Periodic(tasks.delete_expired, 3600))
    periodic.schedule.add("devices.flag_odd_looking", periodic.Periodic(tasks.flag_odd_looking, 3600))
    periodic.schedule.add("devices.check_access", periodic.Periodic(tasks.check_access, 3600))
    rotation.holders.add("devices.captures", CaptureHolder())
    rotation.holders.add("devices.covers", CoverHolder())
    for model in (models.CameraGrant, models.DirectoryGrant, models.RegionGrant):
        rotation.holders.add(f"devices.{model._meta.model_name}", rotation.sealed_rows(model))
    rotation.holders.add("devices.deletionrecord", rotation.sealed_rows(models.DeletionRecord))
    rotation.holders.add(
        "devices.credentials",
        rotation.text_column(models.Stream, "credentials", lambda row: f"devices.stream:{row.pk}"),
    )
