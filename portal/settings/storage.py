"""Files: built static files by whitenoise; media only through the rendition door, never a public folder."""

import os
from pathlib import Path

from portal.settings.environment import ROOT

STATIC_URL = "/static/"
STATIC_ROOT = ROOT / "staticfiles"
STATICFILES_DIRS = [path for path in (ROOT / "static",) if path.exists()]
WHITENOISE_USE_FINDERS = True
MEDIA_ROOT = Path(
    os.environ.get("VANTAGE_MEDIA", Path(os.environ.get("VANTAGE_DATA", ROOT / ".vantage")) / "media")
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True

# Local files under MEDIA_ROOT, or an S3-compatible store: then pictures wait in the spool of their machine
# until they are uploaded, so that a store that is away or slow holds up nobody.
VANTAGE_SPOOL = Path(
    os.environ.get("VANTAGE_SPOOL", Path(os.environ.get("VANTAGE_DATA", ROOT / ".vantage")) / "spool")
)
if bucket := os.environ.get("VANTAGE_S3_BUCKET"):
    from botocore.config import Config

    STORAGES["default"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": bucket,
            "endpoint_url": os.environ.get("VANTAGE_S3_ENDPOINT") or None,
            "region_name": os.environ.get("VANTAGE_S3_REGION", "us-east-1"),
            "access_key": os.environ.get("VANTAGE_S3_ACCESS_KEY"),
            "secret_key": os.environ.get("VANTAGE_S3_SECRET_KEY"),
            "default_acl": None,
            "file_overwrite": True,
            "client_config": Config(
                connect_timeout=3,
                read_timeout=10,
                retries={"total_max_attempts": 1},
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                proxies={},
            ),
        },
    }

# Below this share of free space (per cent) a kind of media is written no more: clips first, then snapshots.
# Pictures of events go on into the reserve, a file that is given up when the disk is full.
VANTAGE_MEDIA_STOP = {
    "clip": float(os.environ.get("VANTAGE_STOP_CLIPS", "10")),
    "snapshot": float(os.environ.get("VANTAGE_STOP_SNAPSHOTS", "5")),
    "event": float(os.environ.get("VANTAGE_STOP_EVENTS", "1")),
}
VANTAGE_MEDIA_RESERVE_MB = float(os.environ.get("VANTAGE_MEDIA_RESERVE_MB", "64"))
VANTAGE_MEDIA_QUOTA_MB = float(os.environ.get("VANTAGE_MEDIA_QUOTA_MB", "0"))  # 0: the whole file system

# Where nginx serves what the media door hands over (X-Accel-Redirect), as in deploy/nginx: /_pictures/. Empty: we
# send pictures ourselves. The folder is read by nginx and holds each answer for a minute; put it in memory.
VANTAGE_ACCEL = os.environ.get("VANTAGE_ACCEL", "")
VANTAGE_RENDITIONS = Path(
    os.environ.get(
        "VANTAGE_RENDITIONS", Path(os.environ.get("VANTAGE_DATA", ROOT / ".vantage")) / "renditions"
    )
)
