"""Closed lists of the events room."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Phase(TextChoices):
    """What a message tells of an event."""

    NEW = "new", _("New")
    UPDATE = "update", _("Updated")
    ENDED = "ended", _("Ended")


class ReviewState(TextChoices):
    """The first axis: the verdict."""

    PENDING = "pending", _("To review")
    CONFIRMED = "confirmed", _("Confirmed")
    FALSE_ALARM = "false_alarm", _("False alarm")
    NOT_REQUIRED = "not_required", _("Not reviewed by policy")
    EXPIRED = "expired", _("Past its validity")


class Verdict(TextChoices):
    """What a reviewer says."""

    CONFIRMED = "confirmed", _("Confirmed")
    FALSE_ALARM = "false_alarm", _("False alarm")
    UNSURE = "unsure", _("Unsure")


class FalseAlarmReason(TextChoices):
    """Why it was a false alarm; feeds the error library."""

    LIGHT = "light", _("Light")
    SHADOW = "shadow", _("Shadow")
    ANIMAL = "animal", _("Animal")
    WRONG_REGION = "wrong_region", _("Wrong region")
    OTHER = "other", _("Other")


class HandlingState(TextChoices):
    """The second axis: what is done about it."""

    TO_DISPATCH = "to_dispatch", _("To dispatch")
    IN_PROGRESS = "in_progress", _("In progress")
    TO_VERIFY = "to_verify", _("To verify")
    CLOSED = "closed", _("Closed")
    VOID = "void", _("Void")


class ReviewSource(TextChoices):
    """Where a verdict comes from."""

    WORKBENCH = "workbench", _("Workbench")
    PATROL = "patrol", _("Inspection round")
    API = "api", _("Subscriber API")
    DOUBLE_BLIND = "double_blind", _("Double-blind")
