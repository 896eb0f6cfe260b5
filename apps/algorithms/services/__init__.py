"""Writes of the algorithms room."""

from apps.algorithms.services.links import check_event_type_links
from apps.algorithms.services.mapping import accept_mapping, refuse_mapping, save_event_type
from apps.algorithms.services.owners import may_manage, owner_of
from apps.algorithms.services.packages import check_package, set_listed, upload_package

__all__ = [
    "accept_mapping",
    "check_event_type_links",
    "check_package",
    "may_manage",
    "owner_of",
    "refuse_mapping",
    "save_event_type",
    "set_listed",
    "upload_package",
]
