"""Closed lists of the algorithms room."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class VersionState(TextChoices):
    """Life of an uploaded package."""

    UPLOADED = "uploaded", _("Uploaded")
    CHECKING = "checking", _("Checking")
    READY = "ready", _("Ready")
    REJECTED = "rejected", _("Rejected")


class Level(TextChoices):
    """Urgency of an event type."""

    GENERAL = "general", _("General")
    URGENT = "urgent", _("Urgent")


class ReviewPolicy(TextChoices):
    """When an event of the type is pushed."""

    REVIEW_FIRST = "review_first", _("Review before push")
    DIRECT = "direct", _("Push without review")
    SAMPLED = "sampled", _("Sampled review")


class MappingState(TextChoices):
    """A package may propose, an operator accepts."""

    PROPOSED = "proposed", _("Proposed")
    ACCEPTED = "accepted", _("Accepted")
    REFUSED = "refused", _("Refused")
