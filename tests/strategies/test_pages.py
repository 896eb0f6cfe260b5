"""Pages and API of strategies and traces: who gets them and what they do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.urls import reverse

from apps.events.services import record_raw_events
from apps.strategies.models import Strategy, StrategyBinding, Trace
from apps.strategies.services import run_pending
from tests.events import factories as make
from tests.events.four import client_of
from tests.strategies import factories as strategies
from tests.support import factories

pytestmark = pytest.mark.django_db
ROLE = ("algorithm_arranger",)


def client(organisation: Any = None, roles: tuple[str, ...] = ROLE) -> Any:
    return client_of(factories.user(organisation, roles))


def a_trace() -> Trace:
    """A trace of a run that was stopped."""
    strategies.everywhere()
    record_raw_events([make.hit(make.execution(), score=0.1)])
    run_pending()
    return Trace.objects.get()


def test_strategies_are_seen_by_their_organisation_and_shared_ones_by_all() -> None:
    from django.test import Client

    organisation = factories.organisation()
    own = strategies.running(organisation, name="自有策略")
    shared = strategies.everywhere(name="共享策略").strategy
    detail = reverse("strategies:strategy-detail", args=[own.pk])

    assert Client().get(detail).status_code == 302
    assert client().get(detail).status_code == 404
    page = client(organisation).get(detail)
    assert page.status_code == 200
    assert "strategy-graph" in page.content.decode()
    foreign = client().get(reverse("strategies:strategy-detail", args=[shared.pk])).content.decode()
    assert reverse("strategies:strategy-draft", args=[shared.pk]) not in foreign
    listed = client().get(reverse("strategies:strategy-list")).content.decode()
    assert "共享策略" in listed
    assert "自有策略" not in listed
    assert client().get(f"/api/v1/strategies/{own.pk}").status_code == 404
    assert client(organisation).get(f"/api/v1/strategies/{own.pk}").json()["versions"][0]["number"] == 1
    assert Client().get("/api/v1/strategies").status_code == 401


@pytest.mark.parametrize("name", ["strategy-draft", "strategy-switch", "strategy-bind"])
def test_foreign_strategies_cannot_be_changed(name: str) -> None:
    shared = strategies.everywhere().strategy
    url = reverse(f"strategies:{name}", args=[shared.pk])

    assert client().post(url, {"do": "stop", "draft": "{}", "scope": "all"}).status_code == 404
    own = client(shared.organisation, ("maintainer",)).post(
        url, {"do": "stop", "draft": "{}", "scope": "all"}
    )
    assert own.status_code == 403
    shared.refresh_from_db()
    assert shared.state == "running"


def test_from_a_new_draft_to_a_bound_version_in_the_browser() -> None:
    organisation = factories.organisation()
    camera = factories.camera(organisation)
    code = camera.identities.get().code
    browser = client(organisation)
    browser.post(reverse("strategies:strategy-add"), {"name": "新策略"})
    strategy = Strategy.objects.get()
    draft = reverse("strategies:strategy-draft", args=[strategy.pk])

    broken = browser.post(draft, {"draft": "{", "do": "save"}).content.decode()
    assert "JSON" in broken
    graph = strategies.graph()
    graph["nodes"][1]["params"]["min"] = 7
    page = browser.post(draft, {"draft": json.dumps(graph), "do": "publish"}).content.decode()
    assert "confidence" in page
    assert not strategy.versions.exists()
    browser.post(draft, {"draft": json.dumps(strategies.graph()), "do": "publish"})
    assert strategy.versions.get().number == 1

    bind = reverse("strategies:strategy-bind", args=[strategy.pk])
    unknown = browser.post(bind, {"scope": "list", "cameras": "NO-SUCH", "all_event_types": "on"})
    assert "NO-SUCH" in unknown.content.decode()
    browser.post(bind, {"scope": "list", "cameras": code, "all_event_types": "on"})
    binding = StrategyBinding.objects.get()
    assert list(binding.cameras.all()) == [camera]
    twice = browser.post(bind, {"scope": "list", "cameras": code, "all_event_types": "on"})
    assert camera.name in twice.content.decode()
    assert StrategyBinding.objects.count() == 1
    assert client().post(reverse("strategies:binding-end", args=[binding.pk])).status_code == 404
    browser.post(reverse("strategies:binding-end", args=[binding.pk]))
    browser.post(reverse("strategies:strategy-switch", args=[strategy.pk]), {"do": "stop"})
    strategy.refresh_from_db()
    binding.refresh_from_db()
    assert (strategy.state, binding.is_active) == ("stopped", False)


@pytest.mark.parametrize("name", ["trace-list", "trace-detail", "event-trace"])
def test_traces_are_seen_by_managers_and_those_served(name: str) -> None:
    from django.test import Client

    trace = a_trace()
    arguments = {"trace-list": [], "trace-detail": [trace.pk], "event-trace": [trace.raw_event]}[name]
    url = reverse(f"strategies:{name}", args=arguments)

    assert Client().get(url).status_code == 302
    manager = client(trace.camera.managing_organisation).get(url)
    assert "置信度" in manager.content.decode()
    other = client().get(url)
    assert other.status_code == (404 if name == "trace-detail" else 200)
    assert "confidence@1" not in other.content.decode()


def test_the_trace_list_filters_and_the_api_agrees() -> None:
    trace = a_trace()
    browser = client(trace.camera.managing_organisation)
    url = reverse("strategies:trace-list")

    assert (
        str(trace.pk) in browser.get(url, {"verdict": "stopped", "reason": "low_confidence"}).content.decode()
    )
    assert str(trace.pk) not in browser.get(url, {"verdict": "raised"}).content.decode()
    assert str(trace.pk) in browser.get(url, {"q": trace.camera.name}).content.decode()
    rows = browser.get("/api/v1/traces", {"verdict": "stopped"}).json()["results"]
    assert [(row["id"], row["component"]) for row in rows] == [(str(trace.pk), "confidence@1")]
    assert client().get(f"/api/v1/traces/{trace.pk}").status_code == 404


def test_counts_of_today_lead_to_their_traces() -> None:
    binding = strategies.everywhere()
    execution = make.execution()
    from apps.core import clock

    record_raw_events([make.hit(execution, time=clock.now(), score=score) for score in (0.1,)])
    run_pending()
    page = client(execution.camera.managing_organisation).get(
        reverse("strategies:strategy-detail", args=[binding.strategy.pk])
    )
    assert page.context["counts"].stopped == 1
    assert page.context["counts"].nodes["confidence"] == {"passed": 0, "stopped": 1}
    assert [row[1] for row in page.context["reasons"]] == ["low_confidence"]


def test_failed_runs_are_tried_again_by_a_button_where_there_are_some() -> None:
    from apps.strategies.models import PendingRun

    trace = a_trace()
    button = reverse("strategies:trace-retry")
    by = client(trace.camera.managing_organisation)
    assert button not in by.get(reverse("strategies:trace-list")).content.decode()

    trace.verdict = "failed"
    trace.save()
    PendingRun.objects.create(
        raw_event=trace.raw_event, camera_id=trace.camera_id, time=trace.time, due_at=trace.time, attempts=3
    )
    assert button in by.get(reverse("strategies:trace-list")).content.decode()
    by.post(button)

    assert PendingRun.objects.get().attempts == 0
    assert not Trace.objects.filter(verdict="failed").exists()
