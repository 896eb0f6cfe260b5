"""Which columns hold text that people, machines or packages bring in; and writing a text into all of them.

The product's models, forms and serializers are asked, so that a new field is covered, or fails a test until it is
said here why it needs no cover.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

from django import forms
from django.apps import apps
from django.db import connection, models
from django.urls import get_resolver
from rest_framework import serializers

import apps as rooms
from apps.core.models import AuditRecord, EncryptedTextField, SealedRow
from tests.attacks.test_s40_mass_assignment import _subclasses, room_serializers

#: Columns that only the platform writes: codes, hashes, paths, names of its own machines and processes.
MACHINE: dict[str, str] = {
    **dict.fromkeys(
        ["core.OutboxMessage", "core.ProcessLease", "core.Push", "accounts.SecondFactor", "accounts.RecoveryCode",
         "accounts.Session", "devices.StorageFinding"], "no page shows a text of it"),
    **dict.fromkeys(
        ["accounts.User.password", "openapi.ApiKey.prefix", "openapi.ApiKey.salt", "openapi.ApiKey.digest",
         "devices.Stream.credentials", "devices.Capture.sha256", "devices.Capture.sealed_with",
         "devices.DeletionRecord.digest", "algorithms.AlgorithmPackage.fingerprint",
         "events.RawEvent.package_fingerprint", "analysis.Execution.key"], "a hash, or sealed"),
    **dict.fromkeys(
        ["accounts.Organisation.path", "devices.DeletionRecord.organisation_path", "devices.Camera.cover",
         "devices.Capture.path", "algorithms.AlgorithmPackage.path", "analysis.CaptureSlot.frame",
         "devices.OddLooking.actor_id", "devices.OddLooking.camera_id", "devices.DeletionRecord.organisation_id",
         "accounts.SavedFilter.page", "accounts.Notification.link"], "an address or id made here"),
    **dict.fromkeys(
        ["accounts.Job.kind", "accounts.Notification.kind", "devices.Camera.state_cause", "devices.RetentionRule.kind",
         "devices.DeletionRecord.kind", "analysis.Execution.state_reason", "analysis.Execution.last_outcome",
         "analysis.Execution.last_reason", "analysis.CaptureSlot.reason", "analysis.AnalysisUnit.waiting_reason",
         "analysis.AnalysisTask.state_reason", "events.Review.previous_state", "strategies.Trace.component",
         "strategies.Trace.reason", "openapi.Delivery.kind", "openapi.Service.code", "openapi.Service.scope"],
        "a code from the program"),
    **dict.fromkeys(["analysis.Execution.node", "analysis.CaptureSlot.node"], "the name of a machine of the site"),
    **dict.fromkeys(["algorithms.AlgorithmPackage.platform", "algorithms.AlgorithmPackage.runtime",
         "algorithms.Algorithm.slug", "algorithms.AlgorithmVersion.version"], "checked by the package's schema"),
    "strategies.PendingRun.last_error": "no page shows it",
}  # fmt: skip

#: Fields of forms and of the interface that no column of the same name in their room takes: where they go, or why not.
ELSEWHERE: dict[str, str] = {
    **dict.fromkeys(["CodeForm.code", "EnrolForm.code", "EnrolForm.password", "PasswordForm.password",
        "OwnPasswordForm.old_password", "OwnPasswordForm.new_password1", "OwnPasswordForm.new_password2"],
        "a secret: never shown again"),
    **dict.fromkeys(["NewCameraForm.stream_url", "StreamForm.stream_url", "NewCameraSerializer.stream_url"],
        "devices.Stream.address"),
    "StreamTestSerializer.url": "tried, never stored; the answer of the page is tested below",
    **dict.fromkeys(["StreamTestResultSerializer.fault", "StreamTestResultSerializer.detail"], "an answer, JSON"),
    "StreamTestResultSerializer.codec": "devices.Stream.codec",
    **dict.fromkeys(["PurposeForm.case", "PurposeForm.words"], "core.AuditRecord.detail"),
    "PurposeForm.next": "an address inside the site, else dropped",
    "LedgerForm.q": "a search: shown back, tested below",
    "SceneForm.shapes": "numbers: any other JSON is refused",
    "KeyForm.addresses": "networks: anything else is refused",
    "SubscriptionForm.cameras": "ids", "BindingForm.cameras": "ids",
    **dict.fromkeys(["SubscriptionForm.condition", "BindingForm.query", "DraftForm.draft",
        "NewTaskSerializer.parameters", "SubscriptionInputSerializer.condition",
        "SubscriptionChangeSerializer.condition"], "JSON: its texts are written below"),
    **dict.fromkeys(["NewTaskSerializer.versions", "SubscriptionInputSerializer.event_types",
        "SubscriptionInputSerializer.cameras", "SubscriptionInputSerializer.kinds",
        "SubscriptionChangeSerializer.event_types", "SubscriptionChangeSerializer.cameras",
        "SubscriptionChangeSerializer.kinds"], "ids and codes: anything else is refused"),
}  # fmt: skip
TEXT_FIELDS = (forms.CharField, forms.JSONField)
NO_TEXT = (forms.UUIDField, forms.GenericIPAddressField)
TEXT_INPUTS = (serializers.CharField, serializers.JSONField, serializers.ListField, serializers.DictField)
#: Keys of JSON columns whose texts people or packages wrote.
WORDS = frozenset(
    {"label", "zh", "en", "name", "title", "message", "detail", "words", "note", "reason", "vendor"}
)


def product_models() -> list[type[models.Model]]:
    """Every model of the rooms and the core that has a table."""
    return [
        model for model in apps.get_models() if model.__module__.startswith("apps.") and model._meta.managed
    ]


def text_columns() -> dict[str, models.Field[Any, Any]]:
    """`app.Model.column` → field, of every text column that MACHINE does not name. The audit is only added to."""
    found = {}
    for model in product_models():
        label = model._meta.label
        for field in model._meta.concrete_fields:
            is_text = isinstance(field, models.CharField | models.TextField) and not field.choices
            if (
                not is_text
                or field.primary_key
                or field.name == "mac"
                or model is AuditRecord
                or label in MACHINE
            ):
                continue
            if (name := f"{label}.{field.name}") not in MACHINE:
                found[name] = field
    return found


def json_columns() -> dict[str, models.Field[Any, Any]]:
    """`app.Model.column` → field, of every JSON column of those models."""
    return {
        f"{model._meta.label}.{field.name}": field
        for model in product_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.JSONField)
        and model is not AuditRecord
        and model._meta.label not in MACHINE
    }


def typed_inputs() -> Iterator[tuple[str, str, str]]:
    """(room, name, class.name) of every text input of every form and serializer of the product."""
    _ = get_resolver().url_patterns
    for module in pkgutil.walk_packages(rooms.__path__, "apps."):
        if module.name.endswith(("forms", "filters", "admin")):
            importlib.import_module(module.name)
    for form in sorted({*_subclasses(forms.BaseForm)}, key=lambda one: one.__qualname__):
        if form.__module__.startswith("apps."):
            for name, field in form.base_fields.items():
                if isinstance(field, TEXT_FIELDS) and not isinstance(field, NO_TEXT):
                    yield form.__module__.split(".")[1], name, f"{form.__name__}.{name}"
    for kind in room_serializers():
        for name, field in kind().fields.items():
            if isinstance(field, TEXT_INPUTS) and not field.read_only:
                yield kind.__module__.split(".")[1], name, f"{kind.__name__}.{name}"


def widen() -> None:
    """Let every text column hold any length, inside the test's transaction: twenty payloads stand in one text."""
    with connection.cursor() as cursor:
        for field in text_columns().values():
            table, column = field.model._meta.db_table, field.column
            cursor.execute(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" TYPE text')


def write(text_of: Callable[[str], str]) -> dict[str, int]:
    """Write `text_of(column)` into every text column of every row; answers how many rows each has.

    Rows with a keyed hash are saved, so that it stays right; a column whose texts are unique gets a number behind.
    """
    counts: dict[str, int] = {}
    for model in product_models():
        columns = {name: field for name, field in text_columns().items() if field.model is model}
        texts = {field.attname: text_of(name) for name, field in columns.items()}
        jsons = [field for name, field in json_columns().items() if field.model is model]
        if not texts and not jsons:
            continue
        for number, row in enumerate(model._base_manager.all()):
            for name, field in columns.items():
                counts[name] = number + 1
                setattr(row, field.attname, texts[field.attname] + (str(number) if _is_unique(field) else ""))
            for field in jsons:
                words = text_of(f"{model._meta.label}.{field.name}")
                setattr(row, field.attname, reworded(getattr(row, field.attname), words))
            if isinstance(row, SealedRow):
                row.make_seal()
            _store(row, [*texts, *(field.attname for field in jsons)])
    return counts


def _is_unique(field: models.Field[Any, Any]) -> bool:
    constraints = (one for one in field.model._meta.constraints if isinstance(one, models.UniqueConstraint))
    return bool(field.unique) or any(field.name in constraint.fields for constraint in constraints)


def _store(row: models.Model, names: list[str]) -> None:
    """Past `save` and `clean`, which could mend the text."""
    values = {name: getattr(row, name) for name in [*names, *(["mac"] if isinstance(row, SealedRow) else [])]}
    type(row)._base_manager.filter(pk=row.pk).update(**values)


def reworded(value: Any, words: str) -> Any:
    """The same JSON with `words` in place of the texts under WORDS."""
    if isinstance(value, list):
        return [reworded(part, words) for part in value]
    if not isinstance(value, dict):
        return value
    return {
        key: words if key in WORDS and isinstance(part, str) else reworded(part, words)
        for key, part in value.items()
    }


assert issubclass(EncryptedTextField, models.TextField)  # it is covered by `text_columns`
