"""Events, their repeats, who they serve, and who holds one open."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organisation, User
from apps.algorithms.choices import Level
from apps.algorithms.models import AlgorithmVersion, EventType
from apps.core.models import IdModel, StampedModel
from apps.devices.models import Camera
from apps.events.choices import HandlingState, ReviewState
from apps.events.querysets import EventQuerySet, OnEventQuerySet


class Event(StampedModel):
    """智能事件: what comes out of a strategy. Repeats of one standing thing attach to it as occurrences (附属事件).

    `time` is the moment of its first frame; `explanation` copies the ids that decided
    (raw event, execution, package, rule, strategy version, trace, requisition). Without a repeat until
    `open_until` it is taken to have ended (empty: it stays open until it is ended by hand).
    """

    event_type = models.ForeignKey(EventType, on_delete=models.PROTECT, related_name="events")
    level = models.CharField(_("level"), max_length=8, choices=Level.choices)
    camera = models.ForeignKey(Camera, on_delete=models.PROTECT, related_name="events")
    preset = models.PositiveSmallIntegerField(default=0)
    time = models.DateTimeField(_("time"))
    first_seen = models.DateTimeField(_("first seen"))
    last_seen = models.DateTimeField(_("last seen"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    open_until = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(_("valid until"))
    occurrences = models.PositiveIntegerField(_("times seen"), default=1)
    targets = models.JSONField(default=list)
    score = models.FloatField(_("confidence"), default=0)
    capture_id = models.UUIDField(null=True, blank=True)
    algorithm_version = models.ForeignKey(AlgorithmVersion, on_delete=models.PROTECT, related_name="events")
    address = models.CharField(_("address"), max_length=300, blank=True)
    raw_event_id = models.UUIDField(unique=True)
    explanation = models.JSONField(default=dict)
    recurrence_of = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    review_state = models.CharField(
        _("review"), max_length=16, choices=ReviewState.choices, default=ReviewState.PENDING
    )
    unsure_count = models.PositiveSmallIntegerField(default=0)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    handling = models.CharField(_("handling"), max_length=16, choices=HandlingState.choices, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(fields=["camera", "-time"], name="event_camera_time"),
            models.Index(fields=["camera", "-last_seen"], name="event_camera_seen"),
            models.Index(fields=["event_type", "-id"], name="event_type_id_desc"),
            models.Index(
                fields=["level", "-id"], condition=models.Q(review_state="pending"), name="event_pending"
            ),
            models.Index(
                fields=["camera", "preset", "event_type", "-last_seen"],
                condition=models.Q(ended_at__isnull=True),
                name="event_open",
            ),
            models.Index(
                fields=["open_until"],
                condition=models.Q(ended_at__isnull=True),
                name="event_open_until",
            ),
            models.Index(
                fields=["expires_at"], condition=models.Q(review_state="pending"), name="event_expiring"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.time:%F %T}"


class EventOccurrence(IdModel):
    """附属事件: one more sight of the same standing thing; `id` is the raw event's."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="attached")
    time = models.DateTimeField()
    targets = models.JSONField(default=list)
    score = models.FloatField(default=0)
    capture_id = models.UUIDField(null=True, blank=True)

    objects = OnEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("repeat")
        verbose_name_plural = _("repeats")
        indexes = [models.Index(fields=["event", "-time"], name="occurrence_event_time")]


class EventAudience(IdModel):
    """An organisation whose units the event serves."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="audience")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "organisation"], name="event_audience_once")]


class EventLock(models.Model):
    """Who has an event open in the workbench, until when (2 minutes, renewed)."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, primary_key=True, related_name="lock")
    holder = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    until = models.DateTimeField()

    objects = OnEventQuerySet.as_manager()
