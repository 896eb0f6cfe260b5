"""Pages of the devices room."""

from apps.devices.views.cameras import (
    CameraListView,
    camera_add,
    camera_detail,
    camera_edit,
    camera_map,
    camera_thumb,
    map_data,
    map_settings,
    stream_edit,
    stream_test,
    watermark_text,
)
from apps.devices.views.ledger import ledger, ledger_export, odd_list, odd_note
from apps.devices.views.media import camera_snapshot, media
from apps.devices.views.purpose import purpose, purpose_url
from apps.devices.views.retention import (
    deletion_list,
    lock_add,
    lock_list,
    lock_release,
    retention_edit,
    retention_list,
)

__all__ = [
    "CameraListView",
    "camera_add",
    "camera_detail",
    "camera_edit",
    "camera_map",
    "camera_snapshot",
    "camera_thumb",
    "deletion_list",
    "ledger",
    "ledger_export",
    "lock_add",
    "lock_list",
    "lock_release",
    "map_data",
    "map_settings",
    "media",
    "odd_list",
    "odd_note",
    "purpose",
    "purpose_url",
    "retention_edit",
    "retention_list",
    "stream_edit",
    "stream_test",
    "watermark_text",
]
