"""Who asks and what they were given."""

from apps.accounts.models.export import ExportRequisition
from apps.accounts.models.factor import RecoveryCode, SecondFactor
from apps.accounts.models.grant import Grant
from apps.accounts.models.organisation import Organisation
from apps.accounts.models.personal import Job, Notification, SavedFilter
from apps.accounts.models.session import Session
from apps.accounts.models.user import RoleBinding, User

__all__ = [
    "ExportRequisition",
    "Grant",
    "Job",
    "Notification",
    "Organisation",
    "RecoveryCode",
    "RoleBinding",
    "SavedFilter",
    "SecondFactor",
    "Session",
    "User",
]
