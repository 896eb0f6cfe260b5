"""Forms of the open platform's pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import Organisation
from apps.algorithms.models import EventType
from apps.devices.models import Camera
from apps.openapi.choices import MessageKind, Scope
from apps.openapi.models import App, Subscription
from apps.openapi.selectors import ATTRIBUTES

ALL_OR_CHOSEN = (
    ("all", gettext_lazy("All the app may see")),
    ("chosen", gettext_lazy("Only those chosen here")),
)
EXAMPLE_CONDITION = '{"attr": "level", "op": "eq", "value": "urgent"}'


class AppForm(forms.Form):
    """A new App."""

    organisation = forms.ModelChoiceField(label=gettext_lazy("Organisation"), queryset=None)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    description = forms.CharField(label=gettext_lazy("Description"), max_length=500, required=False)

    def __init__(self, *args: Any, principal: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Organisation.objects.visible_to(principal, "edit").order_by("path")
        self.fields["organisation"].queryset = rows
        self.fields["organisation"].initial = principal.organisation_id


class KeyForm(forms.Form):
    """A new key."""

    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Scopes"), choices=Scope.choices, widget=forms.CheckboxSelectMultiple
    )
    expires_at = forms.DateTimeField(
        label=gettext_lazy("Expires"),
        required=False,
        help_text=gettext_lazy("Empty: until it is revoked."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )
    addresses = forms.CharField(
        label=gettext_lazy("Addresses"),
        required=False,
        help_text=gettext_lazy(
            "Addresses or networks it may be used from, separated by commas. Empty: anywhere."
        ),
    )

    def clean_addresses(self) -> list[str]:
        """The entries."""
        return [part.strip() for part in self.cleaned_data["addresses"].split(",") if part.strip()]


class SubscriptionForm(forms.Form):
    """A new or changed subscription."""

    app = forms.ModelChoiceField(label=gettext_lazy("App"), queryset=None)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    endpoint = forms.CharField(
        label=gettext_lazy("Endpoint"),
        max_length=1000,
        help_text=gettext_lazy(
            "http:// or https:// address of the receiver; your administrator opens its network."
        ),
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Messages"),
        choices=MessageKind.choices,
        widget=forms.CheckboxSelectMultiple,
        initial=["raised", "ended"],
    )
    only_reviewed = forms.BooleanField(label=gettext_lazy("Only events a reviewer confirmed"), required=False)
    type_scope = forms.ChoiceField(
        label=gettext_lazy("Event types"), choices=ALL_OR_CHOSEN, widget=forms.RadioSelect, initial="all"
    )
    event_types = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Chosen event types"),
        queryset=EventType.objects.order_by("code"),
        required=False,
        help_text=gettext_lazy("None chosen means none. A parent type covers its children."),
    )
    camera_scope = forms.ChoiceField(
        label=gettext_lazy("Cameras"), choices=ALL_OR_CHOSEN, widget=forms.RadioSelect, initial="all"
    )
    cameras = forms.CharField(
        label=gettext_lazy("Chosen cameras"),
        required=False,
        help_text=gettext_lazy("One camera code a line. None means none."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    condition = forms.JSONField(
        label=gettext_lazy("Condition"),
        required=False,
        widget=forms.Textarea(
            attrs={
                "rows": 4,
                "class": "mono",
                "placeholder": '{"attr": "level", "op": "eq", "value": "urgent"}',
            }
        ),
    )

    def __init__(
        self, *args: Any, principal: Any, subscription: Subscription | None = None, **kwargs: Any
    ) -> None:
        if subscription is not None:
            kwargs["initial"] = _initial(subscription)
        super().__init__(*args, **kwargs)
        self.principal = principal
        self.fields["app"].queryset = (
            App.objects.visible_to(principal).filter(is_active=True).order_by("name")
        )
        self.fields["condition"].help_text = _("Empty: no condition. Attributes: %(names)s.") % {
            "names": ", ".join(sorted(ATTRIBUTES))
        }
        if subscription is not None:
            del self.fields["app"]

    def clean_cameras(self) -> list[Camera]:
        """The visible cameras of these codes; unknown ones are named."""
        codes = self.cleaned_data["cameras"].split()
        rows = Camera.objects.visible_to(self.principal).filter(identities__code__in=codes)
        found = {code: row for row in rows.prefetch_related("identities").distinct() for code in _codes(row)}
        missing = sorted(set(codes) - set(found))
        if missing:
            raise forms.ValidationError(_("Unknown codes: %(codes)s.") % {"codes": ", ".join(missing[:10])})
        return list({found[code].pk: found[code] for code in codes}.values())

    def values(self) -> dict[str, Any]:
        """Keyword arguments of the service."""
        data = self.cleaned_data
        return {
            "name": data["name"],
            "endpoint": data["endpoint"].strip(),
            "kinds": data["kinds"],
            "only_reviewed": data["only_reviewed"],
            "event_types": None if data["type_scope"] == "all" else list(data["event_types"]),
            "cameras": None if data["camera_scope"] == "all" else data["cameras"],
            "condition": data["condition"] or {},
        }


class ReplayForm(forms.Form):
    """A range by time of the event."""

    since = forms.DateTimeField(
        label=gettext_lazy("Events from"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    until = forms.DateTimeField(
        label=gettext_lazy("until before"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    with_delivered = forms.BooleanField(label=gettext_lazy("Also what was delivered"), required=False)


def _codes(camera: Camera) -> list[str]:
    return [identity.code for identity in camera.identities.all()]


def _initial(row: Subscription) -> dict[str, Any]:
    cameras = row.cameras.prefetch_related("identities")
    return {
        "name": row.name,
        "endpoint": row.endpoint,
        "kinds": row.kinds,
        "only_reviewed": row.only_reviewed,
        "type_scope": "all" if row.all_event_types else "chosen",
        "event_types": row.event_types.all(),
        "camera_scope": "all" if row.all_cameras else "chosen",
        "cameras": "\n".join(_codes(camera)[0] for camera in cameras if _codes(camera)),
        "condition": row.condition or None,
    }
