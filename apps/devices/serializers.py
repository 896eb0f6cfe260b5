"""API shapes of cameras and captures."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.accounts.models import Organisation
from apps.core.rest import StrictModelSerializer, StrictSerializer, principal_of
from apps.devices.choices import Transport
from apps.devices.models import Camera, CameraIdentity, Capture
from apps.devices.services.media import media_url


class IdentitySerializer(StrictModelSerializer):
    """(system, code)."""

    class Meta:
        model = CameraIdentity
        fields = ("system", "code", "is_primary")
        read_only_fields = fields


class CameraSerializer(StrictModelSerializer):
    """A camera's card. Stream addresses are never part of it."""

    identities = IdentitySerializer(many=True, read_only=True)
    managing_organisation = serializers.CharField(source="managing_organisation.code", read_only=True)
    region = serializers.CharField(source="region.code", read_only=True, default=None)

    class Meta:
        model = Camera
        fields = (
            "id", "name", "kind", "identities", "managing_organisation", "region", "address", "longitude",
            "latitude", "sharing_class", "data_class", "is_enabled", "state", "state_cause", "last_seen_at",
            "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = (
            "id", "identities", "managing_organisation", "region", "is_enabled", "state", "state_cause",
            "last_seen_at", "created_at", "updated_at",
        )  # fmt: skip


class NewCameraSerializer(StrictModelSerializer):
    """What a new camera needs; `organisation` (code) defaults to the caller's own."""

    organisation = serializers.SlugRelatedField(
        slug_field="code", queryset=Organisation.objects.all(), required=False
    )
    stream_url = serializers.CharField(max_length=1000, required=False, write_only=True)
    transport = serializers.ChoiceField(choices=Transport.choices, default=Transport.AUTO)
    code = serializers.CharField(max_length=64, required=False)

    class Meta:
        model = Camera
        fields = (
            "name", "kind", "organisation", "stream_url", "transport", "code", "address", "longitude", "latitude",
            "sharing_class", "data_class",
        )  # fmt: skip


class StreamTestSerializer(StrictSerializer):
    """An address to try."""

    url = serializers.CharField(max_length=1000)
    transport = serializers.ChoiceField(choices=Transport.choices, default=Transport.AUTO)


class StreamTestResultSerializer(StrictSerializer):
    """What the trial found, or the fault with words."""

    ok = serializers.BooleanField()
    fault = serializers.CharField(allow_blank=True)
    detail = serializers.CharField(allow_blank=True)
    codec = serializers.CharField(allow_blank=True)
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    frame_rate = serializers.FloatField()
    gop = serializers.IntegerField()
    clock_offset = serializers.FloatField(allow_null=True)


class CaptureSerializer(StrictModelSerializer):
    """A kept picture and a link that shows it for 15 minutes."""

    picture = serializers.SerializerMethodField()

    class Meta:
        model = Capture
        fields = ("id", "camera", "preset", "time", "width", "height", "sha256", "media_class", "picture")
        read_only_fields = fields

    def get_picture(self, row: Capture) -> str:
        """A signed link, bound to the caller."""
        principal: Any = principal_of(self.context["request"])
        return self.context["request"].build_absolute_uri(media_url("capture", row.pk, principal))
