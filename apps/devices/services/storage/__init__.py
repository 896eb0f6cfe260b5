"""Where pictures lie: one door for writing, reading and deleting, whatever storage a site has.

Local files: written at once. An object store: written to this machine's spool, uploaded from there
(`upload_spooled`). What may be written depends on how full the disk is (`space`).
"""

from apps.devices.services.storage.alarms import next_step, open_findings, report_storage
from apps.devices.services.storage.space import Space, measure
from apps.devices.services.storage.spool import Uploaded, upload_spooled
from apps.devices.services.storage.store import (
    StorageAway,
    delete,
    is_remote,
    keep_reserve,
    media_path,
    put,
    read,
)

__all__ = [
    "Space",
    "StorageAway",
    "Uploaded",
    "delete",
    "is_remote",
    "keep_reserve",
    "measure",
    "media_path",
    "next_step",
    "open_findings",
    "put",
    "read",
    "report_storage",
    "upload_spooled",
]
