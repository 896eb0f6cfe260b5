"""Pages and API of the analysis room: they render, they act, and they show nobody what is not theirs."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.analysis.models import AnalysisTask, CaptureSlot, Plan, Scene, SceneRule
from apps.analysis.planner.heap import slot_id
from apps.analysis.selectors import coverage
from apps.analysis.selectors.plans import SHANGHAI
from apps.analysis.services import (
    AnalysisResult,
    PlannedSlot,
    record_results,
    save_scene_rule,
    write_slots,
)
from apps.core import clock
from tests.support import factories
from tests.support.analysis import arranger, builtin_version, executions_of, running_task

pytestmark = pytest.mark.django_db


class Site:
    """One organisation with a running task, and a stranger."""

    def __init__(self) -> None:
        self.home = factories.organisation()
        self.user = factories.user(self.home, roles=("algorithm_arranger",))
        self.stranger = factories.user(factories.organisation(), roles=("algorithm_arranger",))
        self.camera = factories.camera(self.home, address="http://10.0.0.1/a")
        self.version = builtin_version()
        self.task = running_task(self.home, [self.camera], [self.version])
        self.execution = executions_of(self.task)[0]
        self.plan = Plan.objects.first()

    def client(self, user: Any = None) -> Client:
        client = Client()
        client.force_login(user or self.user)
        return client

    def slot(self, minutes: float, outcome: str = "", reason: str = "") -> CaptureSlot:
        at = clock.now().replace(microsecond=0) - timedelta(minutes=minutes)
        identifier = slot_id(self.camera.pk, 0, at)
        deadline = at + timedelta(seconds=60)
        write_slots([PlannedSlot(identifier, self.camera.pk, 0, at, deadline, (self.execution.pk,))])
        if outcome:
            record_results([AnalysisResult(self.execution.pk, at, outcome, reason, identifier)])
        return CaptureSlot.objects.get(pk=identifier)


@pytest.fixture
def site() -> Site:
    return Site()


def pages(site: Site) -> list[str]:
    return [
        reverse("analysis:task-list"),
        reverse("analysis:task-add"),
        reverse("analysis:task-detail", args=[site.task.pk]),
        reverse("analysis:camera-choices") + "?q=x",
        reverse("analysis:scene-list"),
        reverse("analysis:scene-add"),
        reverse("analysis:scene-edit", args=[site.camera.pk, 0]),
        reverse("analysis:scene-edit", args=[site.camera.pk, 0])
        + f"?algorithm={site.version.algorithm.slug}",
        reverse("analysis:plan-list"),
        reverse("analysis:plan-add"),
        reverse("analysis:plan-edit", args=[site.plan.pk]),
        reverse("analysis:slot-list"),
        reverse("analysis:camera-coverage", args=[site.camera.pk]),
        reverse("analysis:camera-tasks", args=[site.camera.pk]),
    ]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_page_renders(site: Site, language: str) -> None:
    site.slot(5, "hit")
    site.slot(6, "not_analysed", "quality_black")
    client = site.client()
    for url in pages(site):
        answer = client.get(url, headers={"accept-language": language})
        assert answer.status_code == 200, url
        text = answer.content.decode()
        assert "<script>" not in text, url
        assert " style=" not in text, url
        assert " onclick=" not in text, url


def test_nobody_is_sent_to_the_login(site: Site) -> None:
    for url in pages(site):
        assert Client().get(url).status_code == 302, url


def test_a_stranger_finds_nothing(site: Site) -> None:
    site.slot(5, "hit")
    client = site.client(site.stranger)
    for url in pages(site):
        answer = client.get(url)
        if str(site.task.pk) in url or str(site.camera.pk) in url or str(site.plan.pk) in url:
            assert answer.status_code == 404, url
        else:
            assert site.camera.name not in answer.content.decode(), url
            assert str(site.task.pk) not in answer.content.decode(), url
    for verb in ("task-submit", "task-stop"):
        assert client.post(reverse(f"analysis:{verb}", args=[site.task.pk])).status_code == 404
    site.task.refresh_from_db()
    assert site.task.state == "running"


def test_a_task_is_made_stopped_and_found(site: Site) -> None:
    client = site.client()
    answer = client.post(
        reverse("analysis:task-add"),
        {
            "name": "夜间巡查",
            "cameras": [str(site.camera.pk)],
            "versions": [str(site.version.pk)],
            "plan": str(site.plan.pk),
            "sampling": "snapshot",
            "interval": "30",
        },
    )
    task = AnalysisTask.objects.get(name="夜间巡查")
    assert answer.status_code == 302
    assert task.state == "arranging"
    client.post(reverse("analysis:task-stop", args=[task.pk]))
    task.refresh_from_db()
    assert task.state == "stopped"


def test_a_refused_task_says_why_at_its_field(site: Site) -> None:
    answer = site.client().post(
        reverse("analysis:task-add"),
        {
            "name": "x",
            "cameras": [str(site.camera.pk)],
            "versions": [str(site.version.pk)],
            "plan": str(site.plan.pk),
            "sampling": "snapshot",
            "interval": "1",
        },
        headers={"accept-language": "en"},
    )
    assert answer.status_code == 200
    assert "must lie between" in answer.content.decode()


def test_the_scene_editor_saves_masks_and_a_rule(site: Site) -> None:
    ring = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]
    shape = {"type": "Polygon", "space": "image-norm", "preset": 0, "coordinates": [ring]}
    url = reverse("analysis:scene-edit", args=[site.camera.pk, 0])
    url += f"?algorithm={site.version.algorithm.slug}"
    shapes = {"regions": [shape], "lines": [], "masks": [], "privacy": [shape]}
    answer = site.client().post(
        url,
        {"shapes": json.dumps(shapes), "address": "人民路口", "seen_version": "0", "p_sensitivity": "0.7"},
    )
    assert answer.status_code == 302
    scene, rule = Scene.objects.get(), SceneRule.objects.get()
    assert (scene.privacy_masks, scene.address) == ([shape], "人民路口")
    assert (rule.regions, rule.parameters, rule.version) == ([shape], {"sensitivity": 0.7}, 1)
    again = site.client().post(url, {"shapes": json.dumps(shapes), "seen_version": "0"})
    assert again.status_code == 200
    assert SceneRule.objects.count() == 1


def test_a_grantee_saves_a_rule_but_no_mask(site: Site) -> None:
    factories.grant_access(site.camera, site.stranger.organisation, ("view", "analyse"))
    ring = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]
    shape = {"type": "Polygon", "space": "image-norm", "preset": 0, "coordinates": [ring]}
    url = reverse("analysis:scene-edit", args=[site.camera.pk, 0])
    shapes = json.dumps({"regions": [shape], "privacy": [shape], "masks": [shape]})
    answer = site.client(site.stranger).post(
        url + f"?algorithm={site.version.algorithm.slug}", {"shapes": shapes, "seen_version": "0"}
    )
    assert answer.status_code == 302
    assert SceneRule.objects.get().owner_id == site.stranger.organisation_id
    scene = Scene.objects.get()
    assert (scene.privacy_masks, scene.masks) == ([], [])


def test_a_plan_is_saved_and_a_damaged_one_refused(site: Site) -> None:
    client = site.client()
    good = {"name": "夜间", "kind": "periods", "days_0": ["5", "6"], "begin_0": "22:00", "end_0": "06:00"}
    assert client.post(reverse("analysis:plan-add"), good).status_code == 302
    plan = Plan.objects.get(name="夜间")
    assert plan.periods == [{"days": [5, 6], "begin": "22:00", "end": "06:00"}]
    bad = client.post(reverse("analysis:plan-add"), {**good, "name": "x", "end_0": "26:00"})
    assert bad.status_code == 200
    assert not Plan.objects.filter(name="x").exists()


def test_coverage_tells_hits_clears_and_what_was_not_looked_at(site: Site) -> None:
    site.slot(4, "clear")
    site.slot(3, "hit")
    site.slot(2, "not_analysed", "quality_black")
    site.slot(1)
    principal = arranger(site.home)
    day = clock.now().astimezone(SHANGHAI).date()
    kinds = [cell.kind for cell in coverage(site.camera, day, principal)]
    kinds += [cell.kind for cell in coverage(site.camera, day - timedelta(days=1), principal)]
    assert sorted(kinds) == ["clear", "hit", "none", "planned"]


def test_coverage_shows_nobody_else_s_results(site: Site) -> None:
    site.slot(3, "hit")
    guest = arranger(site.stranger.organisation)
    factories.grant_access(site.camera, site.stranger.organisation, ("view", "capture"))
    day = clock.now().astimezone(SHANGHAI).date()
    assert coverage(site.camera, day, guest) == []


class TestApi:
    def test_create_read_and_stop(self, site: Site) -> None:
        client = site.client()
        body = {
            "name": "api",
            "cameras": [str(site.camera.pk)],
            "versions": [f"{site.version.algorithm.slug}@1.0.0"],
            "plan": str(site.plan.pk),
            "interval": 30,
        }
        made = client.post("/api/v1/tasks", body, content_type="application/json")
        assert made.status_code == 201, made.content
        task = made.json()
        assert (task["state"], task["sampling"]) == ("arranging", "snapshot")
        assert client.get(f"/api/v1/tasks/{task['id']}").json()["name"] == "api"
        units = client.get(f"/api/v1/tasks/{task['id']}/units").json()["results"]
        assert [unit["camera"] for unit in units] == [str(site.camera.pk)]
        assert client.post(f"/api/v1/tasks/{task['id']}/stop").json()["state"] == "stopped"
        assert client.post(f"/api/v1/tasks/{task['id']}/stop").status_code == 409
        assert len(client.get("/api/v1/tasks").json()["results"]) == 2

    def test_unknown_fields_and_foreign_cameras_are_refused(self, site: Site) -> None:
        foreign = factories.camera(address="http://10.0.0.2/a")
        body = {
            "name": "api",
            "cameras": [str(foreign.pk)],
            "versions": [site.version.algorithm.slug],
            "plan": str(site.plan.pk),
        }
        client = site.client()
        refused = client.post("/api/v1/tasks", body, content_type="application/json")
        assert refused.status_code == 400
        assert "cameras" in refused.json()["fields"]
        body = {**body, "cameras": [str(site.camera.pk)], "organisation": str(uuid.uuid4())}
        assert client.post("/api/v1/tasks", body, content_type="application/json").status_code == 400
        assert AnalysisTask.objects.count() == 1

    def test_a_stranger_finds_nothing(self, site: Site) -> None:
        save_scene_rule(
            by=arranger(site.home),
            scene=Scene.objects.create(camera=site.camera),
            algorithm=site.version.algorithm,
        )
        client = site.client(site.stranger)
        for path in ("tasks", "scenes", "plans"):
            assert client.get(f"/api/v1/{path}").json()["results"] == []
        for path in (f"tasks/{site.task.pk}", f"tasks/{site.task.pk}/units", f"plans/{site.plan.pk}"):
            assert client.get(f"/api/v1/{path}").status_code == 404
        assert client.post(f"/api/v1/tasks/{site.task.pk}/stop").status_code == 404

    def test_scenes_and_plans_are_read(self, site: Site) -> None:
        save_scene_rule(
            by=arranger(site.home),
            scene=Scene.objects.create(camera=site.camera),
            algorithm=site.version.algorithm,
        )
        client = site.client()
        scene = client.get("/api/v1/scenes").json()["results"][0]
        assert scene["rules"][0]["algorithm"] == site.version.algorithm.slug
        assert client.get("/api/v1/plans").json()["results"][0]["kind"] == "all_day"


def test_a_draft_is_submitted_by_its_page(site: Site) -> None:
    from apps.analysis.services import create_task

    by = arranger(site.home)
    task = create_task(
        by=by, name="d", cameras=[site.camera], versions=[site.version], plan=factories.plan(site.home)
    )
    assert site.client().post(reverse("analysis:task-submit", args=[task.pk])).status_code == 302
    task.refresh_from_db()
    assert task.state == "arranging"
