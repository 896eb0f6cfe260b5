"""Closed lists of the open platform."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class DeliveryState(TextChoices):
    """queued → delivered | retrying → dead."""

    QUEUED = "queued", _("Queued")
    RETRYING = "retrying", _("Retrying")
    DELIVERED = "delivered", _("Delivered")
    DEAD = "dead", _("Dead")


class EndpointState(TextChoices):
    """Whether an endpoint is served."""

    ACTIVE = "active", _("Active")
    PAUSED = "paused", _("Paused")
    DISABLED = "disabled", _("Disabled after failures")


class MessageKind(TextChoices):
    """What a message tells of an event: the last part of its type."""

    RAISED = "raised", _("Raised")
    UPDATED = "updated", _("Seen again")
    ENDED = "ended", _("Ended")
    REVIEWED = "reviewed", _("Reviewed")


class ServiceState(TextChoices):
    """Whether an open service can be called."""

    ON_LINE = "on_line", _("On line")
    OFF_LINE = "off_line", _("Off line")


class Scope(TextChoices):
    """What an App may do; its organisation's rights are the upper bound."""

    CAMERAS_READ = "cameras:read", _("Read cameras")
    CAMERAS_WRITE = "cameras:write", _("Add and change cameras")
    CAPTURES_READ = "captures:read", _("Read captures")
    ALGORITHMS_READ = "algorithms:read", _("Read algorithms")
    PACKAGES_WRITE = "packages:write", _("Upload packages")
    TASKS_READ = "tasks:read", _("Read tasks")
    TASKS_WRITE = "tasks:write", _("Make and stop tasks")
    EVENTS_READ = "events:read", _("Read events")
    EVENTS_WRITE = "events:write", _("Review events")
    SUBSCRIPTIONS_READ = "subscriptions:read", _("Read subscriptions and deliveries")
    SUBSCRIPTIONS_WRITE = "subscriptions:write", _("Make and change subscriptions")


class AttemptError(TextChoices):
    """Why an attempt failed, where the status alone does not say it."""

    REFUSED = "refused", _("Not reachable or not permitted")
    TIMEOUT = "timeout", _("No complete answer within 15 seconds")
    UNREACHABLE = "unreachable", _("Not reachable")
    TLS = "tls", _("The certificate is not valid")
    PROTOCOL = "protocol", _("The answer is not HTTP")
    REDIRECT = "redirect", _("Redirects are not followed")
    STATUS = "status", _("The answer was not a success (2xx)")
    NOT_VISIBLE = "not_visible", _("The app may no longer see the event")
    GONE = "gone", _("The event was deleted")
    DISABLED = "disabled", _("The endpoint was disabled")
    UNBUILT = "unbuilt", _("The message could not be built")


class DisableReason(TextChoices):
    """Why an endpoint is no longer served."""

    GONE = "gone", _("The receiver answered 410: it is gone for good")
    FAILING = "failing", _("Every attempt of five days failed")
