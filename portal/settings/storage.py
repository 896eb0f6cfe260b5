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
