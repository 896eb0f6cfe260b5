"""Forms of tasks, plans and scenes."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.algorithms.models import AlgorithmVersion
from apps.analysis.choices import PlanKind, Sampling
from apps.analysis.models import Plan
from apps.analysis.services.tasks import HIGHEST_PRIORITY
from apps.devices.models import Camera

WEEKDAYS = (
    (1, _("Monday")),
    (2, _("Tuesday")),
    (3, _("Wednesday")),
    (4, _("Thursday")),
    (5, _("Friday")),
    (6, _("Saturday")),
    (7, _("Sunday")),
)
PERIODS = 3
SHAPES = ("regions", "lines", "masks", "privacy")


class TaskForm(forms.Form):
    """A new task; choices are what the principal may analyse and use."""

    name = forms.CharField(label=_("Name"), max_length=200)
    cameras = forms.ModelMultipleChoiceField(label=_("Cameras"), queryset=Camera.objects.none())
    versions = forms.ModelMultipleChoiceField(
        label=_("Algorithms"),
        queryset=AlgorithmVersion.objects.none(),
        widget=forms.CheckboxSelectMultiple,
    )
    plan = forms.ModelChoiceField(label=_("Time plan"), queryset=Plan.objects.none())
    sampling = forms.ChoiceField(
        label=_("Sampling"),
        choices=Sampling.choices,
        initial=Sampling.SNAPSHOT,
        help_text=_("Snapshots cost least; frames per second hold the camera's stream all the time."),
    )
    interval = forms.FloatField(
        label=_("Interval in seconds"),
        initial=60,
        min_value=0,
        help_text=_("At least 5 s for snapshots; 0.25 means four frames per second."),
    )
    valid_to = forms.DateTimeField(
        label=_("Analyse until"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text=_("Empty: without end."),
    )
    priority = forms.TypedChoiceField(
        label=_("Priority"),
        choices=[(number, str(number)) for number in range(HIGHEST_PRIORITY + 1)],
        coerce=int,
        initial=0,
        required=False,
        empty_value=0,
        help_text=_("Where a device is full, a higher one takes the room of lower ones that allow it."),
    )
    is_preemptible = forms.BooleanField(
        label=_("May be pre-empted"),
        required=False,
        help_text=_(
            "Gives way to tasks of a higher priority; it then runs slower, or says that it does not."
        ),
    )

    def __init__(self, *args: Any, principal: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not principal.can("tasks.prioritise"):
            del self.fields["priority"]
        self.choices_from("cameras", Camera.objects.all().visible_to(principal, "analyse"))
        listed = AlgorithmVersion.objects.filter(is_listed=True).select_related("algorithm")
        self.choices_from("versions", listed.order_by("algorithm__slug", "-pk"))
        self.choices_from("plan", Plan.objects.all().visible_to(principal).order_by("name"))

    def choices_from(self, name: str, rows: Any) -> None:
        """Offer these rows."""
        field = self.fields[name]
        field.queryset = rows  # type: ignore[attr-defined]


class PlanForm(forms.Form):
    """A plan with up to three periods."""

    name = forms.CharField(label=_("Name"), max_length=100)
    kind = forms.ChoiceField(label=_("Kind"), choices=PlanKind.choices)
    is_shared = forms.BooleanField(label=_("Shared with all organisations"), required=False)

    def __init__(self, *args: Any, plan: Plan | None = None, **kwargs: Any) -> None:
        initial: dict[str, Any] = {}
        if plan is not None:
            initial = {"name": plan.name, "kind": plan.kind, "is_shared": plan.is_shared}
            for index, period in enumerate(plan.periods[:PERIODS]):
                initial[f"days_{index}"] = period.get("days", list(range(1, 8)))
                initial[f"begin_{index}"], initial[f"end_{index}"] = period.get("begin"), period.get("end")
        super().__init__(*args, initial=initial, **kwargs)
        for index in range(PERIODS):
            self.fields[f"days_{index}"] = forms.TypedMultipleChoiceField(
                label=_("Days of period %(number)d") % {"number": index + 1},
                choices=WEEKDAYS,
                coerce=int,
                required=False,
                widget=forms.CheckboxSelectMultiple,
            )
            for end, words in (("begin", _("From")), ("end", _("Until (24:00 is midnight)"))):
                self.fields[f"{end}_{index}"] = forms.CharField(
                    label=words,
                    required=False,
                    max_length=5,
                    widget=forms.TextInput(attrs={"placeholder": "08:00"}),
                )

    @property
    def periods(self) -> list[dict[str, Any]]:
        """Periods that were filled in."""
        values = self.cleaned_data
        return [
            {
                "days": values[f"days_{index}"],
                "begin": values[f"begin_{index}"] or "00:00",
                "end": values[f"end_{index}"] or "24:00",
            }
            for index in range(PERIODS)
            if values.get(f"days_{index}") or values.get(f"begin_{index}") or values.get(f"end_{index}")
        ]

    @property
    def sets(self) -> list[tuple[str, list[Any]]]:
        """Fieldsets for generic/form.html."""
        first = [self["name"], self["kind"], self["is_shared"]]
        rest = [
            (
                str(_("Period %(number)d") % {"number": index + 1}),
                [self[f"days_{index}"], self[f"begin_{index}"], self[f"end_{index}"]],
            )
            for index in range(PERIODS)
        ]
        return [(str(_("Plan")), first), *rest]


class SceneForm(forms.Form):
    """Drawn shapes as one JSON document, the event address, and the algorithm's parameters by its schema."""

    shapes = forms.CharField(widget=forms.HiddenInput, required=False)
    address = forms.CharField(label=_("Event address"), max_length=300, required=False)
    seen_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, schema: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parameter_names: list[str] = []
        properties = (schema or {}).get("properties", schema or {})
        for name, rule in properties.items():
            if isinstance(rule, dict):
                self.parameter_names.append(name)
                self.fields[f"p_{name}"] = _parameter_field(name, rule)

    def clean_shapes(self) -> dict[str, list[Any]]:
        """`{"regions", "lines", "masks", "privacy"}`; an empty document is four empty lists."""
        text = self.cleaned_data["shapes"] or "{}"
        try:
            found = json.loads(text)
            return {key: list(found.get(key) or []) for key in SHAPES}
        except (ValueError, TypeError, AttributeError):
            raise forms.ValidationError(_("The drawn shapes could not be read.")) from None

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters that were given a value."""
        values = {name: self.cleaned_data.get(f"p_{name}") for name in self.parameter_names}
        return {name: value for name, value in values.items() if value not in (None, "")}

    @property
    def parameter_fields(self) -> list[Any]:
        """Bound fields of the parameters."""
        return [self[f"p_{name}"] for name in self.parameter_names]


def _said(rule: dict[str, Any], what: str) -> str:
    """A word of a package's schema in the reader's language: `x-title: {zh, en}` before the plain `title`."""
    words = rule.get(f"x-{what}") or {}
    return str(words.get("zh" if (get_language() or "").startswith("zh") else "en") or rule.get(what) or "")


def _parameter_field(name: str, rule: dict[str, Any]) -> forms.Field:
    label = _said(rule, "title") or name
    unit = f" ({words})" if (words := _said(rule, "unit")) else ""
    common: dict[str, Any] = {
        "label": label + unit,
        "required": False,
        "help_text": _said(rule, "help") or str(rule.get("description", "")),
        "initial": rule.get("default"),
    }
    kind = rule.get("type")
    if "enum" in rule:
        return forms.ChoiceField(choices=[(value, str(value)) for value in rule["enum"]], **common)
    if kind == "boolean":
        return forms.BooleanField(**common)
    if kind in {"number", "integer"}:
        field = forms.IntegerField if kind == "integer" else forms.FloatField
        return field(min_value=rule.get("minimum"), max_value=rule.get("maximum"), **common)
    return forms.CharField(max_length=500, **common)
