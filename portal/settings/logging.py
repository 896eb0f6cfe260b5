"""Structured logs: one JSON object a line, control characters escaped, secrets masked."""

import os

from portal.settings.environment import listed

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"secrets": {"()": "apps.core.logs.SecretFilter"}},
    "formatters": {"json": {"()": "apps.core.logs.JsonFormatter"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["secrets"]},
    },
    "root": {"handlers": ["console"], "level": os.environ.get("VANTAGE_LOG_LEVEL", "INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.channels.server": {"level": "WARNING"},
        "uvicorn.access": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
    },
}
LOGGING_CONFIG = "logging.config.dictConfig"
# Where spans go, an OTLP/HTTP collector of the site (http://collector:4318/v1/traces); empty: nothing is exported.
VANTAGE_OTLP_ENDPOINT = os.environ.get("VANTAGE_OTLP_ENDPOINT", "")
# Networks whose scrapers may read /metrics without logging in; the machine itself always may.
VANTAGE_METRICS_FROM = listed("VANTAGE_METRICS_FROM")
