"""Production: refuses to start with anything that belongs to a demo."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from portal.settings.base import *  # noqa: F403
from portal.settings.base import (
    LANGUAGE_COOKIE_NAME,
    SECRET_KEY,
    VANTAGE_KEY_FILE,
    VANTAGE_OUTBOUND_EXACT,
    VANTAGE_SECOND_FACTOR,
)
from portal.settings.environment import flag
from portal.settings.secrets import DEMO_MARK


def _refuse(what: str, mend: str) -> None:
    raise ImproperlyConfigured(f"{what} {mend}")


for _name in ("DATABASE_URL", "REDIS_URL", "VANTAGE_SECRET_KEY", "VANTAGE_KEY_FILE"):
    if not os.environ.get(_name):
        _refuse(f"{_name} is not set.", "Production reads it from the environment.")
if SECRET_KEY.startswith(DEMO_MARK) or len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 10:
    _refuse("VANTAGE_SECRET_KEY is a demo or weak secret.", "Use 50 or more random characters.")
if not os.path.isfile(VANTAGE_KEY_FILE) or os.stat(VANTAGE_KEY_FILE).st_mode & 0o077:
    _refuse("VANTAGE_KEY_FILE is missing or readable by others.", "Make it with mode 0600.")
if Path(VANTAGE_KEY_FILE).read_text().lstrip().startswith("demo"):
    _refuse("VANTAGE_KEY_FILE holds a demo key.", "Make one with `./vantage manage make_key`.")
if flag("VANTAGE_DEBUG") or flag("VANTAGE_DEMO"):
    _refuse("VANTAGE_DEBUG / VANTAGE_DEMO are set.", "Unset them.")
if VANTAGE_OUTBOUND_EXACT:
    _refuse("VANTAGE_OUTBOUND_EXACT is set.", "It may name loopback and is for demo and tests only.")
if VANTAGE_SECOND_FACTOR != "required":
    _refuse("VANTAGE_SECOND_FACTOR is not `required`.", "Administrators carry a second factor; unset it.")

DEBUG = False
_SECURE = flag("VANTAGE_SECURE", True)
SECURE_SSL_REDIRECT = flag("VANTAGE_SSL_REDIRECT", _SECURE)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # asked by the machine itself
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _SECURE
if _SECURE:  # by these names browsers take the cookies only over TLS, and only from this very host
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    LANGUAGE_COOKIE_NAME = f"__Host-{LANGUAGE_COOKIE_NAME}"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if flag("VANTAGE_BEHIND_PROXY") else None
SECURE_HSTS_SECONDS = 31536000 if _SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = flag("VANTAGE_HSTS_SUBDOMAINS", _SECURE)
SECURE_HSTS_PRELOAD = SECURE_HSTS_INCLUDE_SUBDOMAINS
