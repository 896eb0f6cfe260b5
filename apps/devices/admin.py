"""Plain Django admin of the devices room, for operators."""

from django.contrib import admin

from apps.core.bounded_admin import OwnedAdmin, SiteAdmin
from apps.devices import models


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
