"""Writes of the algorithms room."""

from apps.algorithms.services.mapping import accept_mapping, refuse_mapping, save_event_type
from apps.algorithms.services.packages import check_package, set_listed, upload_package

__all__ = [
    "accept_mapping",
    "check_package",
    "refuse_mapping",
    "save_event_type",
    "set_listed",
    "upload_package",
]
