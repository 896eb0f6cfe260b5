"""docs/privacy.md lists every personal field: a new one that looks personal fails here until it is listed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import models

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "privacy.md"
LISTED = re.compile(r"`([a-z_]+\.[A-Z]\w*\.[a-z_]+)`")

#: Words in a field's name that say "this may be about a person, or show one".
TELLING = re.compile(
    r"(^|_)(name|username|nick|phone|mobile|email|mail|address|addresses|ip|agent|password|birth|gender|"
    r"licence_plate|plate|face|identity|actor|grantee|principal|reviewer|holder|owner_name|note|comment|body|answer|"
    r"detail|targets|cover|frame|picture|photo|session|get_data|post_data|login|object_repr)(_|$)"
)

#: Fields with such a name that hold nothing of a person: names of things, of organisations, of places.
NOT_PERSONAL = {
    "accounts.Grant.grantee_kind",
    "accounts.Organisation.name",
    "algorithms.Algorithm.name_en",
    "algorithms.Algorithm.name_zh",
    "algorithms.Algorithm.targets",  # what it looks for
    "algorithms.AlgorithmPackage.file_name",
    "algorithms.DetectionItem.name_en",
    "algorithms.DetectionItem.name_zh",
    "algorithms.EventType.name_en",
    "algorithms.EventType.name_zh",
    "analysis.AnalysisTask.name",
    "analysis.Plan.name",
    "analysis.Scene.address",  # where an event happens: a street
    "analysis.WorkCalendarDay.name",
    "auth.Group.name",
    "auth.Permission.codename",
    "auth.Permission.name",
    "core.AuditRecord.actor_kind",
    "core.AuditRecord.organisation_name",
    "core.ProcessLease.name",
    "devices.Camera.address",  # where a camera hangs
    "devices.Camera.cover_at",
    "devices.Camera.name",
    "devices.DeletionRecord.organisation_name",
    "devices.OddLooking.organisation_name",
    "devices.OddLooking.camera_name",
    "devices.Device.name",
    "devices.Directory.name",
    "devices.PlaceType.name",
    "devices.Preset.name",
    "devices.Region.name",
    "devices.SourcePlatform.name",
    "devices.Stream.address",
    "devices.Stream.frame_rate",
    "devices.Tag.name",
    "devices.TagTree.name",
    "dispatch.ComputeNode.address",
    "dispatch.ComputeNode.name",
    "dispatch.ComputeUnit.name",
    "django_celery_beat.PeriodicTask.name",
    "events.Event.address",
    "openapi.App.name",
    "openapi.Service.name",
    "openapi.Subscription.name",
    "strategies.Strategy.name",
    "accounts.User.must_change_password",
}


def fields() -> Iterator[tuple[str, models.Field]]:
    """Every stored column as `app.Model.field`."""
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_fields:
            yield f"{model._meta.label}.{field.name}", field


def looks_personal(field: models.Field) -> bool:
    """Points at a person, is an address of the network, or has a telling name."""
    if field.is_relation:
        return field.related_model is get_user_model()
    return isinstance(field, models.GenericIPAddressField) or bool(TELLING.search(field.name))


def listed() -> set[str]:
    return set(LISTED.findall(DOCUMENT.read_text(encoding="utf-8")))


def test_every_field_that_looks_personal_is_listed_with_purpose_and_age() -> None:
    personal = {name for name, field in fields() if looks_personal(field)}
    assert personal - NOT_PERSONAL - listed() == set()


def test_every_listed_field_exists_and_no_field_is_called_both() -> None:
    existing = {name for name, _ in fields()}
    assert listed() - existing == set()
    assert NOT_PERSONAL - existing == set()
    assert NOT_PERSONAL & listed() == set()


def test_every_row_says_what_for_and_how_long() -> None:
    rows = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if LISTED.match(line[2:])]
    assert rows
    assert [row for row in rows if not all(cell.strip() for cell in row.strip("|").split("|")[:3])] == []


def test_a_new_personal_field_would_be_noticed() -> None:
    assert all(
        looks_personal(field)
        for field in (
            models.CharField(name="contact_phone"),
            models.GenericIPAddressField(name="seen_from"),
            models.ForeignKey(get_user_model(), models.CASCADE, name="by"),
        )
    )
