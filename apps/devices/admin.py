"""Plain Django admin of the devices room, for operators."""

from django.contrib import admin

from apps.core.bounded_admin import OwnedAdmin, SiteAdmin
from apps.devices import models


class IdentityInline(admin.TabularInline):
    """Codes of a camera."""

    model = models.CameraIdentity
    extra = 0


class PresetInline(admin.TabularInline):
    """Presets of a camera."""

    model = models.Preset
    extra = 0


@admin.register(models.Camera)
class CameraAdmin(admin.ModelAdmin):
    """Cameras."""

    list_display = ("name", "managing_organisation", "region", "state", "last_seen_at")
    list_filter = ("state", "sharing_class", "data_class")
    search_fields = ("name", "identities__code")
    inlines = (IdentityInline, PresetInline)
    raw_id_fields = ("managing_organisation", "built_by", "maintained_by", "region", "place_type", "device")
    readonly_fields = ("state", "state_cause", "state_since", "last_seen_at", "cover", "cover_at")


@admin.register(models.Stream)
class StreamAdmin(admin.ModelAdmin):
    """Streams; credentials are sealed and never shown."""

    list_display = ("camera", "role", "address", "codec", "width", "height")

    def has_add_permission(self, request: object) -> bool:
        """Made by the service, which vets the address."""
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        """A changed host here would get the password of the old one."""
        return False


@admin.register(models.Region)
class RegionAdmin(SiteAdmin, admin.ModelAdmin):
    """Regions."""

    list_display = ("code", "name", "parent", "version")
    search_fields = ("code", "name")


@admin.register(models.Directory)
class DirectoryAdmin(OwnedAdmin, admin.ModelAdmin):
    """Directories."""

    list_display = ("name", "kind", "organisation", "parent")
    list_filter = ("kind",)
    raw_id_fields = ("cameras",)


@admin.register(models.PlaceType)
class PlaceTypeAdmin(SiteAdmin, admin.ModelAdmin):
    """Kinds of places."""


@admin.register(models.SourcePlatform, models.Device, models.TagTree)
class OrganisationsAdmin(OwnedAdmin, admin.ModelAdmin):
    """What an organisation connects and names."""

    list_display = ("name", "organisation")


@admin.register(models.Tag)
class TagAdmin(OwnedAdmin, admin.ModelAdmin):
    """Tags belong to who owns their tree."""

    owner = "tree__organisation"
    list_display = ("name", "tree", "parent")


@admin.register(models.HealthFinding)
class HealthFindingAdmin(admin.ModelAdmin):
    """Findings are written by workers only."""

    list_display = ("camera", "kind", "value", "started_at", "ended_at")
    list_filter = ("kind",)

    def has_add_permission(self, request: object) -> bool:
        """Nobody writes a finding by hand."""
        return False


@admin.register(models.StorageFinding)
class StorageFindingAdmin(admin.ModelAdmin):
    """Findings about the media storage; written by workers only."""

    list_display = ("node", "kind", "value", "started_at", "ended_at")
    list_filter = ("kind", "node")

    def has_add_permission(self, request: object) -> bool:
        """Nobody writes a finding by hand."""
        return False
