"""The difference gate has a field where a rule is drawn, bounds, a word on the event's page, and reaches the engine."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.algorithms.models import AlgorithmVersion
from apps.analysis.models import Execution, SceneRule
from apps.analysis.selectors import look_every
from apps.analysis.services import create_task, sync_executions
from apps.core.errors import Refusal
from apps.devices.models import Camera
from tests.events import factories as make
from tests.support import factories
from tests.support.analysis import arranger, builtin_version, executions_of, running_task

pytestmark = pytest.mark.django_db


def page(user: User, camera: Camera, version: AlgorithmVersion, data: dict[str, Any] | None = None) -> Any:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    url = f"{reverse('analysis:scene-edit', args=[camera.pk, 0])}?algorithm={version.algorithm.slug}"
    return client.post(url, data) if data else client.get(url)


@pytest.fixture
def camera() -> Camera:
    return factories.camera(factories.organisation(), address="http://10.0.0.1/a")


@pytest.fixture
def user(camera: Camera) -> User:
    return factories.user(camera.managing_organisation, roles=("algorithm_arranger",))


def test_the_field_is_explained_saved_and_reaches_the_engine(camera: Camera, user: User) -> None:
    version = builtin_version("")
    running_task(camera.managing_organisation, [camera], [version])
    shown = page(user, camera, version).content.decode()
    assert 'name="p_look_every"' in shown
    assert "Saves computing where little happens" in shown
    answer = page(user, camera, version, {"shapes": "{}", "seen_version": "0", "p_look_every": "5"})
    assert answer.status_code == 302
    assert SceneRule.objects.get().parameters == {"look_every": 5}
    sync_executions()
    spec = Execution.objects.exclude(state="stopped").get().spec
    assert (spec["parameters"]["look_every"], look_every(spec)) == (5, 5)
    assert 'value="5"' in page(user, camera, version).content.decode()


@pytest.mark.parametrize("value", ["-1", "101", "1.5", "often"])
def test_a_value_out_of_bounds_is_refused_at_its_field(value: str, camera: Camera, user: User) -> None:
    version = builtin_version("")
    answer = page(user, camera, version, {"shapes": "{}", "seen_version": "0", "p_look_every": value})
    assert answer.status_code == 200
    assert "p_look_every" in answer.context["form"].errors
    assert not SceneRule.objects.exists()


@pytest.mark.parametrize(
    ("analyser", "rule"),
    [("intrusion", None), ("", {"kind": "left_object", "dwell": 10})],
    ids=["an analyser", "a rule over time"],
)
def test_an_algorithm_that_remembers_has_no_such_field(
    analyser: str, rule: Any, camera: Camera, user: User
) -> None:
    version = builtin_version(analyser, rule)
    assert b"p_look_every" not in page(user, camera, version).content
    task = running_task(camera.managing_organisation, [camera], [version], parameters={"look_every": 5})
    assert look_every(executions_of(task)[0].spec) == 0, "the engine looks at each"


def test_a_task_with_a_wrong_value_is_refused(camera: Camera) -> None:
    home = camera.managing_organisation
    with pytest.raises(Refusal) as refusal:
        create_task(
            by=arranger(home),
            name="x",
            cameras=[camera],
            versions=[builtin_version("")],
            plan=factories.plan(home),
            parameters={"look_every": 1000},
        )
    assert refusal.value.code == "bad_parameter"


def test_the_event_says_that_not_each_capture_was_looked_at(camera: Camera, user: User) -> None:
    version = factories.algorithm_version()
    execution = make.execution(camera, version=version, spec={"parameters": {"look_every": 7}, "items": []})
    event = make.event(execution, now=True)
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    url = reverse("events:event-detail", args=[event.pk])
    assert "While nothing moves one capture in 7 is looked at" in client.get(url).content.decode()
    Execution.objects.update(spec={"parameters": {}})
    assert "While nothing moves" not in client.get(url).content.decode()
