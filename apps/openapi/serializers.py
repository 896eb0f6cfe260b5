"""API shapes of apps, subscriptions and deliveries. Secrets are write-only or shown once."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.core.rest import StrictModelSerializer, StrictSerializer
from apps.openapi.choices import MessageKind
from apps.openapi.models import App, Attempt, Delivery, Subscription


class AppSerializer(StrictModelSerializer):
    """A registered app."""

    organisation = serializers.CharField(source="organisation.code", read_only=True)

    class Meta:
        model = App
        fields = ("id", "name", "description", "organisation", "is_active", "created_at")
        read_only_fields = fields


class SubscriptionSerializer(StrictModelSerializer):
    """A subscription as it is. `event_types` and `cameras` null: all that the app may see."""

    event_types = serializers.SerializerMethodField()
    cameras = serializers.SerializerMethodField()

    class Meta:
        model = Subscription
        fields = (
            "id", "app", "name", "endpoint", "kinds", "event_types", "cameras", "condition", "only_reviewed",
            "state", "state_reason", "failing_since", "throttled_until", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_event_types(self, row: Subscription) -> list[str] | None:
        """Codes, or null for all."""
        return None if row.all_event_types else sorted(kind.code for kind in row.event_types.all())

    def get_cameras(self, row: Subscription) -> list[str] | None:
        """Ids, or null for all."""
        return None if row.all_cameras else sorted(str(camera.pk) for camera in row.cameras.all())


class NewSubscriptionSerializer(SubscriptionSerializer):
    """A subscription just made; `secret` is shown this once."""

    secret = serializers.CharField(read_only=True)

    class Meta(SubscriptionSerializer.Meta):
        fields = (*SubscriptionSerializer.Meta.fields, "secret")
        read_only_fields = fields


class SubscriptionInputSerializer(StrictSerializer):
    """What can be set. `app` is needed from people only: a key always means its own app."""

    app = serializers.UUIDField(required=False)
    name = serializers.CharField(max_length=100)
    endpoint = serializers.CharField(max_length=1000)
    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=MessageKind.choices), required=False, allow_empty=False
    )
    event_types = serializers.ListField(
        child=serializers.CharField(max_length=32),
        required=False,
        allow_null=True,
        max_length=500,
        help_text="Codes; null = all, an empty list = none. A parent code covers its children.",
    )
    cameras = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        allow_null=True,
        max_length=10_000,
        help_text="Ids; null = all the app may see, an empty list = none.",
    )
    condition = serializers.DictField(
        required=False, help_text="Condition language, for example {attr, op, value}; empty = no condition."
    )
    only_reviewed = serializers.BooleanField(required=False)


class SubscriptionChangeSerializer(SubscriptionInputSerializer):
    """The same for a change; the app of a subscription stays."""

    app = None  # type: ignore[assignment]


class SecretSerializer(StrictSerializer):
    """A new signing secret, shown this once; the former one signs for 24 h more."""

    secret = serializers.CharField(read_only=True)


class TestResultSerializer(StrictSerializer):
    """What the receiver answered to the test message."""

    delivery = serializers.UUIDField(source="delivery.pk", read_only=True)
    is_success = serializers.BooleanField(read_only=True)
    status = serializers.IntegerField(read_only=True, allow_null=True)
    error = serializers.CharField(read_only=True)
    milliseconds = serializers.IntegerField(read_only=True)
    headers = serializers.DictField(child=serializers.CharField(), read_only=True)
    body = serializers.CharField(read_only=True)


class StageSerializer(StrictSerializer):
    """One gate between an event and its delivery."""

    code = serializers.CharField(read_only=True)
    passed = serializers.BooleanField(read_only=True)
    text = serializers.CharField(read_only=True)


class ReplaySerializer(StrictSerializer):
    """A range by time of the event; `preview` only counts."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    with_delivered = serializers.BooleanField(required=False, default=False)
    preview = serializers.BooleanField(required=False, default=False)


class ReplayResultSerializer(StrictSerializer):
    """How many messages are sent again, and how many were missing and are sent now."""

    again = serializers.IntegerField(read_only=True)
    missing = serializers.IntegerField(read_only=True)
    preview = serializers.BooleanField(read_only=True)


class AttemptSerializer(StrictModelSerializer):
    """One try."""

    class Meta:
        model = Attempt
        fields = ("number", "at", "status", "error", "milliseconds", "answer")
        read_only_fields = fields


class DeliverySerializer(StrictModelSerializer):
    """One message to one endpoint; `message` is its webhook-id."""

    event = serializers.UUIDField(source="event_id", read_only=True, allow_null=True)

    class Meta:
        model = Delivery
        fields = (
            "id", "subscription", "message", "kind", "event", "state", "attempts", "created_at", "due_at",
            "delivered_at", "last_status", "last_error",
        )  # fmt: skip
        read_only_fields = fields


class DeliveryDetailSerializer(DeliverySerializer):
    """With its body and every try, newest first."""

    body = serializers.DictField(read_only=True, allow_null=True)
    tries = serializers.SerializerMethodField()

    class Meta(DeliverySerializer.Meta):
        fields = (*DeliverySerializer.Meta.fields, "body", "tries")
        read_only_fields = fields

    def get_tries(self, row: Delivery) -> list[dict[str, Any]]:
        """Attempts, newest first."""
        return list(AttemptSerializer(row.tries.order_by("-at"), many=True).data)
