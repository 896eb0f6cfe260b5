"""Writes of the devices room."""

from apps.devices.services.access import compile_access, recompile_grants_over
from apps.devices.services.cameras import add_camera, change_camera, set_enabled
from apps.devices.services.captures import NewCapture, record_captures, set_cover
from apps.devices.services.health import report_health
from apps.devices.services.media import media_url, media_urls, open_media
from apps.devices.services.state import report_camera_state
from apps.devices.services.storage import media_path
from apps.devices.services.streams import (
    StreamTrial,
    open_stream_url,
    save_stream,
    source_options,
    try_stream,
)

__all__ = [
    "NewCapture",
    "StreamTrial",
    "add_camera",
    "change_camera",
    "compile_access",
    "media_path",
    "media_url",
    "media_urls",
    "open_media",
    "open_stream_url",
    "recompile_grants_over",
    "record_captures",
    "report_camera_state",
    "report_health",
    "save_stream",
    "set_cover",
    "set_enabled",
    "source_options",
    "try_stream",
]
