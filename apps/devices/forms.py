"""Adding and editing a camera, and narrowing its list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organisation
from apps.devices.choices import CameraKind, DataClass, SharingClass, Transport
from apps.devices.models import Camera


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
