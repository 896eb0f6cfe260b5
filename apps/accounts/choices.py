"""Closed lists of the accounts room."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class OrganisationKind(TextChoices):
    """What kind of body an organisation is."""

    BUREAU = "bureau", _("Bureau")
    DISTRICT = "district", _("District or county")
    STREET = "street", _("Street or town")
    ENTERPRISE = "enterprise", _("Enterprise or social body")
    DEVELOPER = "developer", _("Developer")
    MAINTAINER = "maintainer", _("Maintenance company")


class RoleCode(TextChoices):
    """Roles; each of the last three is held by people who hold no other role."""

    DATA_AUTHORITY_APPROVER = "data_authority_approver", _("Data authority approver")
    OPERATOR = "operator", _("Service operator")
    RESOURCE_MANAGER = "resource_manager", _("Resource access manager")
    CAMERA_GOVERNOR = "camera_governor", _("Camera governance")
    ALGORITHM_ARRANGER = "algorithm_arranger", _("Algorithm arranger")
    EVENT_REVIEWER = "event_reviewer", _("Event reviewer")
    TRAINER = "trainer", _("Algorithm training manager")
    MAINTAINER = "maintainer", _("Daily maintenance")
    BUREAU_OFFICER = "bureau_officer", _("Bureau officer")
    BUREAU_APPROVER = "bureau_approver", _("Bureau approver")
    DEVELOPER = "developer", _("Developer")
    SYSTEM_ADMIN = "system_admin", _("System administrator")
    SECURITY_ADMIN = "security_admin", _("Security administrator")
    AUDIT_ADMIN = "audit_admin", _("Audit administrator")


#: The three separated administrators: they hold no other role and see no business data.
EXCLUSIVE_ROLES = frozenset({RoleCode.SYSTEM_ADMIN, RoleCode.SECURITY_ADMIN, RoleCode.AUDIT_ADMIN})
#: Who enters the Django admin, and so carries a second factor.
STAFF_ROLES = EXCLUSIVE_ROLES | {RoleCode.OPERATOR}


class GranteeKind(TextChoices):
    """Who a grant is for."""

    ORGANISATION = "organisation", _("Organisation")
    USER = "user", _("User")
    APP = "app", _("App")


class Action(TextChoices):
    """What a grant allows on a camera."""

    VIEW = "view", _("See the catalogue card")
    LIVE = "live", _("Watch live")
    PLAYBACK = "playback", _("Play back")
    CAPTURE = "capture", _("See captures")
    PTZ = "ptz", _("Control PTZ")
    ANALYSE = "analyse", _("Analyse")
    SUBSCRIBE = "subscribe", _("Subscribe to events")
    EXPORT = "export", _("Export")
    UNMASKED = "unmasked", _("See unmasked")


class GrantState(TextChoices):
    """A grant is valid between its two moments unless it was revoked."""

    ACTIVE = "active", _("Active")
    REVOKED = "revoked", _("Revoked")


class Coverage(TextChoices):
    """What a grant over a directory, region or query covers later on."""

    FIXED = "fixed", _("The cameras of that day")
    GROWING = "growing", _("Later cameras too")


class JobState(TextChoices):
    """Progress of long work in the task centre."""

    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class RequisitionState(TextChoices):
    """Where a request for more exports stands."""

    SUBMITTED = "submitted", _("Waiting for a decision")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    USED = "used", _("Used")
