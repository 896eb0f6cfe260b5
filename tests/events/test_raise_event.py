"""From a raw event to an event with its repeats and its end."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from apps.analysis.models import Scene
from apps.core.errors import Refusal
from apps.core.ids import uuid7
from apps.events.models import Event, EventOccurrence
from apps.events.services import Decision, attach_to_main, close_ended, expire_unreviewed, raise_event
from tests.events import factories as make
from tests.events.news import heard, pushes
from tests.support import factories

pytestmark = pytest.mark.django_db
WINDOW = Decision(window_s=3)


def test_an_event_says_what_decided_it() -> None:
    kind = factories.event_type(level="urgent", validity_minutes=30)
    execution = make.execution(version=factories.algorithm_version(kind=kind))
    bureau = factories.organisation()
    unit = make.unit(execution, bureau, requisition_reference="2026-0147")
    Scene.objects.create(camera=execution.camera, address="南门路口")
    raw = make.raw_event(execution, capture_id=uuid7(), slot_id=uuid7())
    trace, version, strategy = uuid7(), uuid7(), uuid7()

    event = raise_event(
        raw=raw,
        decision=Decision(
            strategy=strategy, strategy_version=version, strategy_number=3, trace=trace, window_s=3
        ),
    )

    assert (event.level, event.review_state, event.address) == ("urgent", "pending", "南门路口")
    assert event.expires_at == raw.time + timedelta(minutes=30)
    assert [row.organisation for row in event.audience.all()] == [bureau]
    assert event.explanation["raw_event"] == str(raw.pk)
    assert event.explanation["package"] == execution.package.fingerprint
    assert event.explanation["algorithm"] == {"id": execution.version.algorithm.slug, "version": "1.0.0"}
    assert event.explanation["strategy"] == str(strategy)
    assert event.explanation["strategy_version"] == 3
    assert event.explanation["trace"] == str(trace)
    assert event.explanation["task"] == str(unit.task_id)
    assert event.explanation["tasks"] == [str(unit.task_id)]
    assert event.explanation["requisitions"] == ["2026-0147"]
    assert event.explanation["capture"] == str(raw.capture_id)


def test_raising_again_gives_the_same_event_and_tells_nothing() -> None:
    raw = make.raw_event()
    with heard() as news:
        first = raise_event(raw=raw, decision=WINDOW)
        again = raise_event(raw=raw, decision=WINDOW)

    assert first == again
    assert news == [("raised", "new")]
    assert [push["kind"] for push in pushes()] == ["event.raised"]


def test_the_push_names_its_audiences_and_holds_no_link() -> None:
    execution = make.execution()
    bureau = factories.organisation()
    make.unit(execution, bureau)

    event = make.event(execution)

    [push] = pushes()
    camera = execution.camera
    assert push["topics"] == sorted(
        [
            f"c:{camera.pk}",
            f"m:{camera.managing_organisation_id}",
            f"o:{bureau.pk}",
            f"s:{camera.pk}:{event.event_type_id}",
        ]
    )
    assert push["summary"]["code"] == event.event_type.code
    assert (push["summary"]["lon"], push["summary"]["lat"]) == (camera.longitude, camera.latitude)
    assert push["summary"]["picture"] is None


def test_frames_before_a_grants_history_are_not_pushed_to_subscribers() -> None:
    execution = make.execution()
    kind = execution.version.algorithm.items.get().event_type
    access = factories.grant_access(execution.camera, factories.organisation(), ("subscribe",))
    access.grant.event_type_links.create(event_type=kind)

    make.event(execution, now=True)
    make.event(execution, -3 * 86400, now=True)

    subscribed = [f"s:{execution.camera_id}:{kind.pk}" in push["topics"] for push in pushes()]
    assert subscribed == [True, False]


def test_an_unmapped_raw_event_raises_nothing() -> None:
    raw = make.raw_event(item="not.declared")

    with pytest.raises(Refusal) as refused:
        raise_event(raw=raw, decision=WINDOW)

    assert refused.value.code == "unmapped_item"
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("policy", "states"),
    [("review_first", {"pending"}), ("direct", {"not_required"}), ("sampled", {"pending", "not_required"})],
)
def test_the_policy_decides_whether_it_is_reviewed(policy: str, states: set[str]) -> None:
    kind = factories.event_type(review_policy=policy)
    execution = make.execution(version=factories.algorithm_version(kind=kind))

    events = [make.event(execution, second) for second in range(0, 60, 1)]

    assert {event.review_state for event in events} == states


def test_repeats_attach_once_each() -> None:
    execution = make.execution()
    event = raise_event(raw=make.raw_event(execution), decision=WINDOW)
    repeat = make.raw_event(execution, 2)

    with heard() as news:
        attach_to_main(event_id=event.pk, raw=repeat)
        attach_to_main(event_id=event.pk, raw=repeat)

    event.refresh_from_db()
    assert news == [("updated", "update")]
    assert event.occurrences == 2
    assert event.last_seen == repeat.time
    assert EventOccurrence.objects.get().pk == repeat.pk


def test_an_event_ends_after_its_window_and_comes_back_as_a_recurrence() -> None:
    execution = make.execution()
    with time_machine.travel(make.NOON, tick=False):
        first = raise_event(raw=make.raw_event(execution), decision=WINDOW)
        assert close_ended() == 0
    with time_machine.travel(make.NOON + timedelta(seconds=14), tick=False), heard() as news:
        assert close_ended() == 1
        assert close_ended() == 0

    first.refresh_from_db()
    assert first.ended_at == make.NOON
    assert news == [("ended", "ended")]
    again = raise_event(raw=make.raw_event(execution, 60), decision=WINDOW)
    assert again.recurrence_of == first


def test_a_new_event_ends_by_frame_time_what_stood_there_before() -> None:
    execution = make.execution()
    first = raise_event(raw=make.raw_event(execution), decision=WINDOW)

    again = raise_event(raw=make.raw_event(execution, 4), decision=WINDOW)

    first.refresh_from_db()
    assert first.ended_at == first.last_seen
    assert again.recurrence_of == first


def test_a_late_repeat_opens_its_event_again() -> None:
    execution = make.execution()
    event = raise_event(raw=make.raw_event(execution), decision=WINDOW)
    Event.objects.filter(pk=event.pk).update(ended_at=event.last_seen)

    attach_to_main(event_id=event.pk, raw=make.raw_event(execution, 2))

    event.refresh_from_db()
    assert event.ended_at is None


def test_unreviewed_events_expire_once_and_are_not_told_to_subscribers() -> None:
    old = make.event(seconds=-2 * 86400, now=True)
    fresh = make.event(now=True)

    with heard() as news:
        assert expire_unreviewed() == 1
        assert expire_unreviewed() == 0

    old.refresh_from_db()
    fresh.refresh_from_db()
    assert (old.review_state, fresh.review_state) == ("expired", "pending")
    assert news == []
