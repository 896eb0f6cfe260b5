"""What the lists of subscriptions and deliveries can be narrowed by."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.utils.translation import gettext_lazy as _

from apps.openapi.choices import DeliveryState, EndpointState, MessageKind
from apps.openapi.models import Delivery, Subscription

DELIVERY_KINDS = [*MessageKind.choices, ("test", _("Test"))]


class SubscriptionFilter(django_filters.FilterSet):
    """`state`, `app`."""

    state = django_filters.MultipleChoiceFilter(choices=EndpointState.choices, label=_("State"))
    app = django_filters.UUIDFilter(field_name="app_id", label=_("App"), widget=forms.HiddenInput)

    class Meta:
        model = Subscription
        fields = ("state", "app")


class DeliveryFilter(django_filters.FilterSet):
    """`state`, `kind`, `subscription`, `event`, `since`, `until` (time of queueing)."""

    state = django_filters.MultipleChoiceFilter(choices=DeliveryState.choices, label=_("State"))
    kind = django_filters.ChoiceFilter(choices=DELIVERY_KINDS, label=_("Kind"))
    subscription = django_filters.UUIDFilter(field_name="subscription_id", label=_("Subscription"))
    event = django_filters.UUIDFilter(field_name="event_id", label=_("Event"))
    since = django_filters.IsoDateTimeFilter(
        field_name="created_at", lookup_expr="gte", label=_("Queued since")
    )
    until = django_filters.IsoDateTimeFilter(
        field_name="created_at", lookup_expr="lt", label=_("Queued before")
    )

    class Meta:
        model = Delivery
        fields = ("state", "kind", "subscription", "event", "since", "until")


class SubscriptionPageFilter(SubscriptionFilter):
    """The same for the page: one state at a time."""

    state = django_filters.ChoiceFilter(choices=EndpointState.choices, label=_("State"))


class DeliveryPageFilter(DeliveryFilter):
    """The same for the page: a person chooses one state, a subscription by name, and times in a picker."""

    state = django_filters.ChoiceFilter(choices=DeliveryState.choices, label=_("State"))

    subscription = django_filters.ModelChoiceFilter(
        queryset=Subscription.objects.none(), label=_("Subscription")
    )
    event = django_filters.UUIDFilter(field_name="event_id", label=_("Event"), widget=forms.HiddenInput)
    since = django_filters.DateTimeFilter(
        field_name="created_at",
        lookup_expr="gte",
        label=_("Queued since"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )
    until = django_filters.DateTimeFilter(
        field_name="created_at",
        lookup_expr="lt",
        label=_("Queued before"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )

    def __init__(self, *args: Any, principal: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.form.fields["subscription"].queryset = Subscription.objects.visible_to(principal).order_by(
            "name"
        )
