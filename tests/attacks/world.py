"""One of everything that belongs to bureau A, and the clients that try to reach it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from django.conf import settings
from django.test import Client

from apps.accounts.models import ExportRequisition, Organisation, User
from apps.accounts.permissions import principal_of_user
from apps.algorithms.models import EventTypeGrant
from apps.analysis.models import AnalysisTask, AnalysisUnit, CaptureSlot, Scene, SceneRule
from apps.core import clock
from apps.core.ids import key_id, uuid7
from apps.devices.models import Camera, Capture, HealthFinding
from apps.events.models import Event, EventOccurrence, Review
from apps.openapi.models import Delivery
from apps.strategies.models import StrategyBinding, Trace
from tests.events import factories as events
from tests.openapi import builders as openapi
from tests.strategies import factories as strategies
from tests.support import factories
from tests.support.looking import state_purpose

#: Every ability that does not open the whole catalogue, so that a refusal is about the object and not the role.
ROLES = (
    "bureau_officer", "event_reviewer", "algorithm_arranger", "resource_manager", "camera_governor",
    "developer", "maintainer",
)  # fmt: skip
GRANTED_ACTIONS = ("view", "live", "playback", "capture", "analyse", "subscribe", "export")
SECRET_NAME = "甲局机密"
ENDPOINT = "127.0.0.1:9"


@dataclass
class World:
    """Objects of bureau A by name, and a user of each kind of client."""

    objects: dict[str, Any] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    sessions: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["objects"][name]
        except KeyError:
            raise AttributeError(name) from None

    def client(self, who: str) -> Client:
        """A browser of that user; `nobody` is not logged in. Errors become 500 answers."""
        client = Client(raise_request_exception=False)
        if who == "nobody":
            return client
        if who not in self.sessions:
            client.force_login(self.users[who])
            state_purpose(client)
            self.sessions[who] = client.cookies
        client.cookies = self.sessions[who].copy()
        return client

    def log_in(self) -> None:
        """Open the session of every user now, before the tests' own savepoints."""
        for who in self.users:
            self.client(who)

    def principal(self, who: str) -> Any:
        """The principal of that user."""
        return principal_of_user(self.users[who])

    def traces_of_it(self) -> list[str]:
        """What must not stand in an answer for a stranger: ids and names of the objects."""
        shared = {"version", "package", "event_type", "algorithm", "item"}
        ids = [str(row.pk) for name, row in self.objects.items() if name not in shared]
        return [SECRET_NAME, *ids]


def build() -> World:
    """The world; call it inside a transaction that is rolled back."""
    home, other, ended, granted = (factories.organisation() for _ in range(4))
    world = World()
    for who, organisation in (("other", other), ("expired", ended), ("granted", granted), ("manager", home)):
        world.users[who] = factories.user(organisation, roles=ROLES)
    camera = factories.camera(home, address="rtsp://10.1.2.3:554/live", name=f"{SECRET_NAME}点位")
    requisition = ExportRequisition.objects.create(user=world.users["manager"], rows=5, reason=SECRET_NAME)
    world.objects |= {"camera": camera, "requisition": requisition}
    _pictures(world, camera)
    _analysis(world, home, camera)
    _event(world, home)
    _strategy(world, home, camera)
    _openapi(world, home)
    for organisation, is_over in ((ended, True), (granted, False)):
        access = factories.grant_access(camera, organisation, GRANTED_ACTIONS, ended=is_over)
        EventTypeGrant.objects.create(grant=access.grant, event_type=world.event.event_type)
    return world


def write_picture(path: Path) -> None:
    """A grey JPEG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((90, 160, 3), 90, np.uint8))


def _pictures(world: World, camera: Camera) -> None:
    now = clock.now()
    capture = Capture.objects.create(
        id=key_id(now, "capture", camera.pk), camera=camera, time=now, width=160, height=90,
        path=f"frames/{camera.pk}.jpg",
    )  # fmt: skip
    camera.cover, camera.cover_at = f"covers/{camera.pk}.jpg", now
    camera.search_text = camera.name
    camera.save()
    for relative in (capture.path, camera.cover):
        write_picture(Path(settings.MEDIA_ROOT) / relative)
    finding = HealthFinding.objects.create(camera=camera, kind="black", started_at=now)
    world.objects |= {"capture": capture, "finding": finding}


def _analysis(world: World, home: Organisation, camera: Camera) -> None:
    plan = factories.plan(home)
    plan.name = f"{SECRET_NAME}计划"
    plan.save()
    version = factories.algorithm_version()
    task = AnalysisTask.objects.create(name=f"{SECRET_NAME}任务", organisation=home, plan=plan)
    task.cameras.add(camera)
    task.versions.add(version)
    execution = events.execution(camera, version=version)
    unit = AnalysisUnit.objects.create(task=task, camera=camera, version=version, execution=execution)
    scene = Scene.objects.create(camera=camera, address=f"{SECRET_NAME}地址")
    rule = SceneRule.objects.create(scene=scene, algorithm=version.algorithm, owner=home)
    planned = clock.now() - timedelta(minutes=1)
    slot = CaptureSlot.objects.create(
        id=key_id(planned, "slot", camera.pk), camera=camera, planned_at=planned, deadline=planned,
        executions=[execution.pk], state="captured", capture_id=world.capture.pk, captured_at=planned,
    )  # fmt: skip
    world.objects |= {
        "plan": plan, "version": version, "task": task, "execution": execution, "unit": unit,
        "scene": scene, "rule": rule, "slot": slot,
    }  # fmt: skip


def _event(world: World, home: Organisation) -> None:
    event: Event = events.event(world.execution, now=True)
    Event.objects.filter(pk=event.pk).update(capture_id=world.capture.pk)
    event.refresh_from_db()
    occurrence = EventOccurrence.objects.create(
        event=event, time=event.time, targets=event.targets, capture_id=world.capture.pk
    )
    review = Review.objects.create(
        event=event, verdict="false_alarm", reviewer=world.users["manager"], previous_state="pending",
        created_at=clock.now(),
    )  # fmt: skip
    world.objects |= {"event": event, "occurrence": occurrence, "review": review}


def _strategy(world: World, home: Organisation, camera: Camera) -> None:
    strategy = strategies.running(home, name=f"{SECRET_NAME}策略")
    version = strategy.versions.get()
    binding = StrategyBinding.objects.create(
        strategy=strategy, version=version, scope="list", covers_all_event_types=True
    )
    binding.cameras.add(camera)
    now = clock.now()
    trace = Trace.objects.create(
        id=uuid7(), raw_event=world.event.raw_event_id, camera=camera, version=version, time=now,
        verdict="raised", event_id=world.event.pk, organisations=[home.pk], ran_at=now,
    )  # fmt: skip
    world.objects |= {"strategy": strategy, "binding": binding, "trace": trace}


def _openapi(world: World, home: Organisation) -> None:
    app = openapi.app(home, name=f"{SECRET_NAME}应用")
    key = openapi.key(app).key
    subscription = openapi.subscription(
        app, f"http://{ENDPOINT}/hook", name=f"{SECRET_NAME}订阅"
    ).subscription
    delivery = Delivery.objects.create(
        id=uuid7(), subscription=subscription, message=uuid7(), kind="raised", event_id=world.event.pk,
        due_at=clock.now() + timedelta(hours=1), body={"secret": SECRET_NAME},
    )  # fmt: skip
    world.objects |= {"app": app, "key": key, "subscription": subscription, "delivery": delivery}
