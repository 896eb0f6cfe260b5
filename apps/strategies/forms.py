"""Forms of the strategies room."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.permissions import Principal
from apps.algorithms.models import EventType
from apps.analysis.models import Plan
from apps.devices.models import Camera
from apps.strategies.choices import Scope


class NewStrategyForm(forms.Form):
    """A new strategy begins as the default graph."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    description = forms.CharField(
        label=gettext_lazy("Description"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class DraftForm(forms.Form):
    """The graph as JSON."""

    draft = forms.CharField(
        label=gettext_lazy("Graph (JSON)"),
        max_length=200_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 24, "class": "mono", "spellcheck": "false"}),
    )

    def clean_draft(self) -> Any:
        """The document; a syntax error is named with its line and column."""
        try:
            return json.loads(self.cleaned_data["draft"])
        except json.JSONDecodeError as error:
            raise forms.ValidationError(
                _("Not JSON: %(what)s in line %(line)d, column %(column)d.")
                % {"what": error.msg, "line": error.lineno, "column": error.colno}
            ) from None


class BindingForm(forms.Form):
    """Where a strategy runs."""

    scope = forms.ChoiceField(label=gettext_lazy("Cameras"), choices=Scope.choices)
    cameras = forms.CharField(
        label=gettext_lazy("Camera codes"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono"}),
        help_text=gettext_lazy("For a list: one code a line."),
    )
    query = forms.JSONField(
        label=gettext_lazy("Query (JSON)"),
        required=False,
        help_text=gettext_lazy("For a tag query. Attributes: tags, region, place_type, kind, organisation."),
    )
    all_event_types = forms.BooleanField(
        label=gettext_lazy("All event types, later ones too"), required=False, initial=True
    )
    event_types = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Event types"), queryset=EventType.objects.order_by("code"), required=False
    )
    plan = forms.ModelChoiceField(
        label=gettext_lazy("Plan"),
        queryset=Plan.objects.none(),
        required=False,
        empty_label=gettext_lazy("Always"),
    )

    def __init__(self, *args: Any, principal: Principal, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.principal = principal
        self.fields["plan"].queryset = Plan.objects.visible_to(principal)  # type: ignore[attr-defined]

    def clean_cameras(self) -> list[Camera]:
        """Cameras by code; unknown codes are named."""
        codes = list(dict.fromkeys(self.cleaned_data["cameras"].split()))
        rows = Camera.objects.visible_to(self.principal).filter(identities__code__in=codes).distinct()
        found = {code: row for row in rows for code in row.identities.values_list("code", flat=True)}
        missing = [code for code in codes if code not in found]
        if missing:
            raise forms.ValidationError(
                _("No camera you may see has these codes: %(codes)s.") % {"codes": ", ".join(missing[:10])}
            )
        return list({found[code].pk: found[code] for code in codes}.values())
