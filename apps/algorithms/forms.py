"""Uploading a package, accepting a mapping, editing an event type."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.algorithms.models import EventType

MAX_BYTES = 1 << 30


@contextmanager
def stored_upload(upload: Any) -> Iterator[Path]:
    """The uploaded file on disk (0600) while the block runs."""
    with tempfile.NamedTemporaryFile(prefix="vantage-upload-", suffix=".zip") as handle:
        for chunk in upload.chunks():
            handle.write(chunk)
        handle.flush()
        yield Path(handle.name)


class PackageForm(forms.Form):
    """One zip."""

    file = forms.FileField(label=_("Package (.zip, at most 1 GiB)"))

    def clean_file(self) -> Any:
        """Size first: nothing larger is looked into."""
        upload = self.cleaned_data["file"]
        if upload.size > MAX_BYTES:
            raise forms.ValidationError(_("The file is larger than 1 GiB."))
        return upload


class MappingForm(forms.Form):
    """The event type a detection item raises."""

    event_type = forms.ModelChoiceField(label=_("Event type"), queryset=EventType.objects.order_by("code"))


class EventTypeForm(forms.ModelForm):  # type: ignore[type-arg]
    """A type of the tree."""

    class Meta:
        model = EventType
        fields = (
            "code", "parent", "name_zh", "name_en", "level", "review_policy", "validity_minutes", "national_code",
        )  # fmt: skip
        labels = {"parent": _("Parent type")}
