"""Judging an event, and taking the verdict back."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.permissions import Principal
from apps.core import audit, clock, outbox
from apps.core.errors import Conflict, NotFound, Refusal
from apps.core.models import OutboxMessage
from apps.core.retries import atomic_again
from apps.events.choices import FalseAlarmReason, Phase, ReviewSource, ReviewState, Verdict
from apps.events.models import Event, EventLock, Review
from apps.events.services.find import locked, locked_event
from apps.events.services.lock import refuse_if_held_by_another
from apps.events.services.tell import show, tell

UNDO = timedelta(seconds=10)
TOPIC = "event.reviewed"
OPEN_STATES = frozenset({ReviewState.PENDING, ReviewState.EXPIRED, ReviewState.NOT_REQUIRED})


@atomic_again
def review_event(
    *,
    principal: Principal,
    event_id: UUID,
    verdict: str,
    reason: str = "",
    note: str = "",
    source: str = ReviewSource.WORKBENCH,
) -> Review:
    """Judge an event; the verdict holds for its repeats and is told to subscribers after the 10 s of undo.

    `unsure` leaves it pending for a second reviewer. Raises NotFound, Refusal (`unknown_verdict`,
    `unknown_reason`), Conflict (`event_locked`, `already_reviewed`, `second_reviewer_needed`).
    """
    principal.must("events.review")
    _check_words(verdict, reason)
    event = locked_event(principal, event_id)
    refuse_if_held_by_another(principal, event)
    _refuse_if_judged(principal, event)
    moment = clock.now()
    review = Review.objects.create(
        event=event,
        verdict=verdict,
        reason=reason if verdict == Verdict.FALSE_ALARM else "",
        note=note[:500],
        source=source,
        reviewer=principal.user,
        reviewer_name=principal.name[:200],
        previous_state=event.review_state,
        created_at=moment,
    )
    if verdict == Verdict.UNSURE:
        event.unsure_count += 1
    else:
        event.review_state, event.reviewed_at = verdict, moment
        outbox.write(TOPIC, {"review": str(review.pk)}, key=str(event.pk), due_at=moment + UNDO, id=review.pk)
    event.save(update_fields=["review_state", "reviewed_at", "unsure_count", "updated_at"])
    EventLock.objects.filter(event=event).delete()
    _record(principal, "event.review", event, verdict=verdict, reason=reason)
    show(event, "reviewed")
    return review


@atomic_again
def undo_review(*, principal: Principal, review_id: UUID) -> Event:
    """Take one's own verdict back within 10 s and restore the state before it.

    Raises NotFound, Conflict (`undo_too_late`) when the time has passed or it was told already; undoing twice
    changes nothing.
    """
    principal.must("events.review")
    found = Review.objects.filter(pk=review_id).visible_to(principal).first()
    if found is None:
        raise NotFound("review_not_found", _("There is no such review, or you may not see it."))
    event = locked(found.event_id)
    review = Review.objects.select_for_update().get(pk=review_id)
    if review.undone_at is not None:
        return event
    too_late = review.told_at is not None or clock.now() > review.created_at + UNDO
    if too_late or not _is_own(principal, review):
        raise Conflict("undo_too_late", _("This verdict can no longer be taken back; it has been told."))
    outbox.cancel(review.pk)
    review.undone_at = clock.now()
    review.save(update_fields=["undone_at"])
    if review.verdict == Verdict.UNSURE:
        event.unsure_count = max(0, event.unsure_count - 1)
    else:
        event.review_state, event.reviewed_at = review.previous_state, None
    event.save(update_fields=["review_state", "reviewed_at", "unsure_count", "updated_at"])
    _record(principal, "event.undo_review", event, verdict=review.verdict)
    show(event, "reviewed")
    return event


def tell_reviews(batch: list[OutboxMessage]) -> None:
    """Outbox handler: 10 s after a verdict that still stands, higher rooms hear of it, once."""
    for message in batch:
        review = Review.objects.filter(pk=message.payload["review"]).first()
        if review is None:
            continue
        event = locked(review.event_id)
        review = Review.objects.select_for_update().get(pk=review.pk)
        if review.undone_at is not None or review.told_at is not None:
            continue
        review.told_at = clock.now()
        review.save(update_fields=["told_at"])
        tell(event, kind="reviewed", phase=_phase(event), review=review)


def _phase(event: Event) -> Phase:
    return Phase.ENDED if event.ended_at else Phase.UPDATE


def _check_words(verdict: str, reason: str) -> None:
    if verdict not in Verdict.values:
        text = _("A verdict is one of: %(list)s.") % {"list": ", ".join(Verdict.values)}
        raise Refusal("unknown_verdict", text, fields={"verdict": text})
    if reason and reason not in FalseAlarmReason.values:
        text = _("A reason is one of: %(list)s.") % {"list": ", ".join(FalseAlarmReason.values)}
        raise Refusal("unknown_reason", text, fields={"reason": text})


def _refuse_if_judged(principal: Principal, event: Event) -> None:
    standing = Review.objects.filter(event=event, undone_at__isnull=True).order_by("-created_at")
    if event.review_state not in OPEN_STATES:
        last = standing.exclude(verdict=Verdict.UNSURE).first()
        raise Conflict(
            "already_reviewed",
            _("%(name)s judged this event at %(time)s. Reload the page to see the verdict.")
            % {
                "name": last.reviewer_name if last else "–",
                "time": timezone.localtime(last.created_at if last else event.updated_at).strftime(
                    "%H:%M:%S"
                ),
            },
        )
    if any(_is_own(principal, review) for review in standing.filter(verdict=Verdict.UNSURE)):
        raise Conflict(
            "second_reviewer_needed",
            _("You were unsure about this event; a second reviewer decides now."),
        )


def _is_own(principal: Principal, review: Review) -> bool:
    if principal.user is not None:
        return review.reviewer_id == principal.user.pk
    return review.reviewer_id is None and review.reviewer_name == principal.name[:200]


def _record(principal: Principal, action: str, event: Event, **detail: str) -> None:
    audit.record(principal, action, event, owner_id=event.camera.managing_organisation_id, **detail)
