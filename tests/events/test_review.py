"""Verdicts, undo, locks, the queue, and two people at the same time."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import connection

from apps.accounts.permissions import Principal
from apps.core import clock, outbox
from apps.core.errors import Conflict, NotAllowed, NotFound, Refusal
from apps.core.models import AuditRecord, OutboxMessage
from apps.events.models import Event, EventLock, Review
from apps.events.selectors import queue_types, review_queue, reviewed_today
from apps.events.services import lock_event, review_event, undo_review, unlock_event
from tests.events import factories as make
from tests.events.news import heard
from tests.support import factories

pytestmark = pytest.mark.django_db


def reviewer(event: Event, role: str = "event_reviewer") -> Principal:
    return factories.principal(event.camera.managing_organisation, (role,))


def later(seconds: float) -> Any:
    return time_machine.travel(clock.now() + timedelta(seconds=seconds), tick=False)


@pytest.mark.parametrize(
    ("verdict", "reason", "state", "kept_reason"),
    [
        ("confirmed", "", "confirmed", ""),
        ("confirmed", "light", "confirmed", ""),
        ("false_alarm", "light", "false_alarm", "light"),
        ("unsure", "", "pending", ""),
    ],
)
def test_a_verdict(verdict: str, reason: str, state: str, kept_reason: str) -> None:
    event = make.event(now=True)

    review = review_event(principal=reviewer(event), event_id=event.pk, verdict=verdict, reason=reason)

    event.refresh_from_db()
    assert event.review_state == state
    assert event.unsure_count == (1 if verdict == "unsure" else 0)
    assert (review.verdict, review.reason, review.previous_state) == (verdict, kept_reason, "pending")
    assert AuditRecord.objects.filter(action="event.review", object_id=str(event.pk)).count() == 1


def test_subscribers_hear_of_it_after_ten_seconds() -> None:
    event = make.event(now=True)
    review = review_event(principal=reviewer(event), event_id=event.pk, verdict="confirmed")

    with heard() as news:
        outbox.relay_once()
        assert news == []
        with later(11):
            outbox.relay_once()
            outbox.relay_once()

    assert news == [("reviewed", "update")]
    review.refresh_from_db()
    assert review.told_at is not None


def test_undo_restores_and_nothing_is_told() -> None:
    event = make.event(now=True)
    principal = reviewer(event)
    review = review_event(principal=principal, event_id=event.pk, verdict="false_alarm", reason="light")

    undo_review(principal=principal, review_id=review.pk)
    undo_review(principal=principal, review_id=review.pk)

    event.refresh_from_db()
    assert (event.review_state, event.reviewed_at) == ("pending", None)
    with heard() as news, later(11):
        outbox.relay_once()
    assert news == []
    assert not OutboxMessage.objects.filter(topic="event.reviewed").exists()


def test_undo_is_refused_after_ten_seconds_and_for_others() -> None:
    event = make.event(now=True)
    principal = reviewer(event)
    review = review_event(principal=principal, event_id=event.pk, verdict="confirmed")

    with pytest.raises(Conflict, match="no longer"):
        undo_review(principal=reviewer(event), review_id=review.pk)
    with later(11), pytest.raises(Conflict):
        undo_review(principal=principal, review_id=review.pk)

    event.refresh_from_db()
    assert event.review_state == "confirmed"


def test_undone_at_the_last_moment_wins_over_the_relay() -> None:
    event = make.event(now=True)
    principal = reviewer(event)
    review = review_event(principal=principal, event_id=event.pk, verdict="confirmed")
    message = OutboxMessage.objects.get(pk=review.pk)
    undo_review(principal=principal, review_id=review.pk)

    with heard() as news:
        outbox.handlers.get("event.reviewed")([message])

    assert news == []


def test_an_unsure_event_goes_to_somebody_else() -> None:
    event = make.event(now=True)
    first, second = reviewer(event), reviewer(event)

    review_event(principal=first, event_id=event.pk, verdict="unsure")

    assert review_queue(first) == []
    assert review_queue(second) == [event]
    with pytest.raises(Conflict) as refused:
        review_event(principal=first, event_id=event.pk, verdict="confirmed")
    assert refused.value.code == "second_reviewer_needed"
    review_event(principal=second, event_id=event.pk, verdict="confirmed")
    assert not OutboxMessage.objects.filter(topic="event.reviewed").exclude(key=str(event.pk)).exists()


def test_a_judged_event_names_who_judged_it() -> None:
    event = make.event(now=True)
    first = reviewer(event)
    review_event(principal=first, event_id=event.pk, verdict="confirmed")

    with pytest.raises(Conflict, match=first.name) as refused:
        review_event(principal=reviewer(event), event_id=event.pk, verdict="false_alarm")

    assert refused.value.code == "already_reviewed"
    event.refresh_from_db()
    assert event.review_state == "confirmed"


def test_an_expired_event_may_still_be_confirmed() -> None:
    event = make.event(now=True)
    Event.objects.filter(pk=event.pk).update(review_state="expired")

    review_event(principal=reviewer(event), event_id=event.pk, verdict="confirmed")

    event.refresh_from_db()
    assert event.review_state == "confirmed"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"verdict": "nonsense"}, "unknown_verdict"),
        ({"verdict": "false_alarm", "reason": "boredom"}, "unknown_reason"),
    ],
)
def test_unknown_words_change_nothing(words: dict[str, str], code: str) -> None:
    event = make.event(now=True)

    with pytest.raises(Refusal) as refused:
        review_event(principal=reviewer(event), event_id=event.pk, **words)

    assert refused.value.code == code
    assert not Review.objects.exists()


def test_only_reviewers_who_see_the_event_may_judge() -> None:
    event = make.event(now=True)

    with pytest.raises(NotAllowed):
        review_event(principal=reviewer(event, "maintainer"), event_id=event.pk, verdict="confirmed")
    with pytest.raises(NotFound):
        review_event(
            principal=factories.principal(roles=("event_reviewer",)), event_id=event.pk, verdict="confirmed"
        )

    assert not Review.objects.exists()


def test_a_lock_names_its_holder_and_lasts_two_minutes() -> None:
    event = make.event(now=True)
    first, second = reviewer(event), reviewer(event)
    lock_event(principal=first, event_id=event.pk)
    lock_event(principal=first, event_id=event.pk)

    with pytest.raises(Conflict, match=first.name) as refused:
        lock_event(principal=second, event_id=event.pk)
    assert refused.value.code == "event_locked"
    with pytest.raises(Conflict):
        review_event(principal=second, event_id=event.pk, verdict="confirmed")
    assert review_queue(second) == []
    assert review_queue(first) == [event]
    unlock_event(principal=second, event_id=event.pk)
    assert EventLock.objects.count() == 1
    with later(121):
        lock_event(principal=second, event_id=event.pk)
    assert EventLock.objects.get().holder_id == second.id


def test_the_queue_is_urgent_first_then_by_time() -> None:
    camera = factories.camera()
    urgent = factories.algorithm_version(kind=factories.event_type(level="urgent"))
    general = make.execution(camera)
    alarm = make.execution(camera, version=urgent)
    late, early = make.event(general, -10, now=True), make.event(general, -100, now=True)
    late_urgent, early_urgent = make.event(alarm, -5, now=True), make.event(alarm, -50, now=True)
    principal = factories.principal(camera.managing_organisation, ("event_reviewer",))

    queue = review_queue(principal)

    assert queue == [early_urgent, late_urgent, early, late]
    assert review_queue(principal, after=late_urgent.pk) == [early, late]
    assert review_queue(principal, event_type=early.event_type.code) == [early, late]
    assert [(kind.event_type.level, kind.waiting) for kind in queue_types(principal)] == [
        ("urgent", 2),
        ("general", 2),
    ]
    review_event(principal=principal, event_id=early_urgent.pk, verdict="confirmed")
    assert reviewed_today(principal) == 1
    assert review_queue(principal, after=early_urgent.pk)[0] == late_urgent


@pytest.mark.django_db(transaction=True)
def test_of_two_reviewers_at_the_same_time_one_wins() -> None:
    event = make.event(now=True)
    people = [reviewer(event), reviewer(event)]
    barrier = threading.Barrier(2)
    answers: list[str] = []

    def judge(principal: Principal, verdict: str) -> None:
        barrier.wait()
        try:
            review_event(principal=principal, event_id=event.pk, verdict=verdict)
            answers.append("done")
        except Conflict as refused:
            answers.append(refused.code)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=judge, args=pair)
        for pair in zip(people, ("confirmed", "false_alarm"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == ["already_reviewed", "done"]
    assert Review.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_locks_at_the_same_time_one_wins() -> None:
    event = make.event(now=True)
    barrier = threading.Barrier(2)
    answers: list[str] = []

    def take(principal: Principal, identifier: UUID) -> None:
        barrier.wait()
        try:
            lock_event(principal=principal, event_id=identifier)
            answers.append("held")
        except Conflict as refused:
            answers.append(refused.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(reviewer(event), event.pk)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == ["event_locked", "held"]
