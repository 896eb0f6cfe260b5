"""Adding and editing a camera, and narrowing its list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organisation
from apps.devices.choices import LOOK_WORDS, CameraKind, DataClass, Purpose, SharingClass, Transport
from apps.devices.models import Camera

MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"})


class CameraForm(forms.ModelForm):  # type: ignore[type-arg]
    """The card."""

    class Meta:
        model = Camera
        fields = (
            "name", "kind", "address", "longitude", "latitude", "sharing_class", "sharing_basis", "data_class",
        )  # fmt: skip


class NewCameraForm(forms.Form):
    """Card, code and stream of a new camera."""

    name = forms.CharField(label=_("Name"), max_length=200)
    code = forms.CharField(
        label=_("Code"), max_length=64, required=False,
        help_text=_("20-digit GB/T 28181 code; left empty the camera gets a flagged own code."),
    )  # fmt: skip
    organisation = forms.ModelChoiceField(
        label=_("Managed by"), queryset=Organisation.objects.none(), to_field_name="code"
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=CameraKind.choices)
    stream_url = forms.CharField(
        label=_("Stream address"), max_length=1000,
        help_text=_("rtsp://user:password@host:554/path, RTMP, HTTP-FLV, HLS or MPEG-TS. The password is sealed."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    transport = forms.ChoiceField(label=_("RTSP transport"), choices=Transport.choices, required=False)
    address = forms.CharField(label=_("Address"), max_length=300, required=False)
    longitude = forms.FloatField(label=_("Longitude"), min_value=-180, max_value=180, required=False)
    latitude = forms.FloatField(label=_("Latitude"), min_value=-90, max_value=90, required=False)
    sharing_class = forms.ChoiceField(
        label=_("Sharing class"), choices=SharingClass.choices, initial=SharingClass.CONDITIONAL
    )
    data_class = forms.ChoiceField(label=_("Data class"), choices=DataClass.choices)

    def __init__(self, *args: Any, principal: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["organisation"]
        field.queryset = Organisation.objects.filter(path__startswith=principal.organisation_path)
        field.initial = Organisation.objects.filter(pk=principal.organisation_id).first()

    def clean_transport(self) -> str:
        """Automatic when nothing was chosen."""
        return str(self.cleaned_data.get("transport") or Transport.AUTO)


class StreamForm(forms.Form):
    """Another address for a camera's main stream."""

    stream_url = forms.CharField(
        label=_("Stream address"), max_length=1000, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    transport = forms.ChoiceField(label=_("RTSP transport"), choices=Transport.choices)


class PurposeForm(forms.Form):
    """Why somebody looks at old or unmasked pictures."""

    purpose = forms.ChoiceField(label=_("Purpose"), choices=Purpose.choices)
    case = forms.CharField(
        label=_("Case number"), max_length=60, required=False,
        help_text=_("Needed for a case of an authority and for a complaint."),
    )  # fmt: skip
    words = forms.CharField(label=_("In a few words"), max_length=200, required=False)
    next = forms.CharField(required=False, widget=forms.HiddenInput)


class RetentionForm(forms.Form):
    """How many days a kind is kept."""

    days = forms.IntegerField(label=_("Days"), min_value=1, max_value=36500)
    reason = forms.CharField(label=_("Reason"), max_length=200)


class LockForm(forms.Form):
    """What may not go by age, why, and until when."""

    camera = forms.UUIDField(
        label=_("Camera"), help_text=_("The camera's id; it stands in the address of its page.")
    )
    frames_from = forms.DateTimeField(label=_("Frames from"), widget=MOMENT)
    frames_to = forms.DateTimeField(label=_("until"), widget=MOMENT)
    reason = forms.CharField(label=_("Reason"), max_length=300)
    ends_at = forms.DateTimeField(label=_("Locked until"), widget=MOMENT)


class LedgerForm(forms.Form):
    """What the ledger can be narrowed by."""

    q = forms.CharField(label=_("Who"), required=False, max_length=100)
    camera = forms.UUIDField(label=_("Camera"), required=False, widget=forms.HiddenInput)
    action = forms.ChoiceField(label=_("How"), required=False)
    since = forms.DateTimeField(label=_("From"), required=False, widget=MOMENT)
    until = forms.DateTimeField(label=_("until before"), required=False, widget=MOMENT)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["action"]
        field.choices = [("", _("All")), *LOOK_WORDS.items()]
