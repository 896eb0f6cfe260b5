"""What `world` does not hold: one row of every further table that has a text in it, hung on the same camera."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from apps.accounts.models import ExportRequisition, Job, Notification, SavedFilter
from apps.algorithms.models import EventCodeMap
from apps.analysis.models import WorkCalendarDay
from apps.core import clock
from apps.core.ids import uuid7
from apps.devices.models import (
    CameraTag,
    DeletionRecord,
    Device,
    Directory,
    MediaLock,
    OddLooking,
    PlaceType,
    Region,
    RetentionRule,
    SourcePlatform,
    Tag,
    TagTree,
)
from apps.dispatch.models import ComputeNode, ComputeUnit
from apps.openapi.models import Attempt, Service
from tests.attacks.world import World


def add(world: World) -> None:
    """Make them; everything is text "x" as yet."""
    camera, home, manager = world.camera, world.camera.managing_organisation, world.users["manager"]
    now, later = clock.now(), clock.now() + timedelta(days=1)
    _catalogue(world)
    for user in world.users.values():
        Notification.objects.create(user=user, kind="event", title="x", body="x", link="/")
        Job.objects.create(user=user, kind="event.export", title="x", errors=[{"message": "x"}])
        SavedFilter.objects.create(user=user, page="events", name="x", query="q=x")
    decided = {"decider_id": manager.pk, "decider_name": "x", "opinion": "x", "decided_at": now}
    ExportRequisition.objects.create(user=manager, rows=1, reason="x", state="rejected", **decided)
    RetentionRule.objects.create(organisation=home, kind="capture", days=30, reason="x")
    MediaLock.objects.create(
        camera=camera,
        frames_from=now,
        frames_to=later,
        ends_at=later,
        reason="x",
        owner=manager,
        owner_name="x",
    )
    facts: dict[str, Any] = {"count": 1, "digest": "0", "deleted_at": now, "organisation_path": home.path}
    DeletionRecord.objects.create(
        kind="capture", rule="x", organisation_id=home.pk, organisation_name="x", **facts
    )
    OddLooking.objects.create(
        kind="night",
        day=now.date(),
        actor_id=str(manager.pk),
        actor_name="x",
        looks=9,
        first_at=now,
        last_at=now,
    )
    OddLooking.objects.create(
        kind="again", day=now.date(), actor_id=str(manager.pk), actor_name="x", looks=9, first_at=now, last_at=now,
        noted_at=now, noted_by_name="x", note="x",
    )  # fmt: skip
    EventCodeMap.objects.create(system="x", code="x", event_type=world.event.event_type)
    WorkCalendarDay.objects.create(date=now.date(), is_workday=False, name="x")
    node = ComputeNode.objects.create(name="x", heartbeat_at=now, started_at=now)
    ComputeUnit.objects.create(node=node, kind="cpu", name="x")
    Service.objects.get_or_create(code="x", defaults={"name": "x", "scope": "events:read"})
    Attempt.objects.create(
        id=uuid7(), delivery=world.delivery, number=1, at=now, status=500, error="x", answer="x"
    )


def _catalogue(world: World) -> None:
    camera, home = world.camera, world.camera.managing_organisation
    platform = SourcePlatform.objects.create(organisation=home, name="x")
    camera.device = Device.objects.create(
        platform=platform, organisation=home, name="x", vendor="x", model="x"
    )
    camera.region = Region.objects.create(code="110101", name="x")
    camera.place_type = PlaceType.objects.create(code="01", name="x")
    camera.save()
    Directory.objects.create(organisation=home, name="x", kind="own").cameras.add(camera)
    tag = Tag.objects.create(tree=TagTree.objects.create(organisation=home, name="x"), name="x")
    CameraTag.objects.create(camera=camera, tag=tag)
