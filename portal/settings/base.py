"""What every environment shares. Each integration has its own short file."""

from __future__ import annotations

import os
from pathlib import Path

from portal.settings.environment import ROOT, database, flag, listed

BASE_DIR = ROOT
DEBUG = False
SECRET_KEY = os.environ.get("VANTAGE_SECRET_KEY", "")
ALLOWED_HOSTS = listed("VANTAGE_ALLOWED_HOSTS") or ["127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = listed("VANTAGE_ORIGINS")
VANTAGE_DATA = Path(os.environ.get("VANTAGE_DATA", ROOT / ".vantage")).absolute()
VANTAGE_SITE = os.environ.get("VANTAGE_SITE", "city")
VANTAGE_PUBLIC_URL = os.environ.get("VANTAGE_PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
VANTAGE_DEMO = False

INSTALLED_APPS = [
    "django.contrib.admin.apps.SimpleAdminConfig",  # leaflet.admin needs GDAL: rooms are imported by name
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "axes",
    "channels",
    "csp",
    "django_celery_beat",
    "django_filters",
    "django_htmx",
    "django_prometheus",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "guardian",
    "import_export",
    "leaflet",
    "rest_framework",
    "treebeard",
    "apps.core",
    "apps.accounts",
    "apps.devices",
    "apps.algorithms",
    "apps.analysis",
    "apps.events",
    "apps.strategies",
    "apps.dispatch",
    "apps.openapi",
    "workers",
    "portal",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "apps.core.middleware.ClientAddressMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.core.middleware.RequestContextMiddleware",
    "apps.accounts.middleware.PrincipalMiddleware",
    "apps.core.audit.middleware.AuditMiddleware",
    "apps.core.middleware.PlainTextMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "portal.urls"
ASGI_APPLICATION = "portal.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "django.template.context_processors.tz",
                "portal.context_processors.shell",
            ],
            "builtins": ["django.templatetags.i18n", "apps.core.templatetags.vantage"],
        },
    }
]

DATABASES = {
    "default": database(os.environ.get("DATABASE_URL", "postgresql://vantage@127.0.0.1:5432/vantage"))
}

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [ROOT / "locale"]
LANGUAGE_COOKIE_NAME = "vantage_language"
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True

from portal.settings.accounts import *  # noqa: E402, F403
from portal.settings.celery import *  # noqa: E402, F403
from portal.settings.channels import *  # noqa: E402, F403
from portal.settings.logging import *  # noqa: E402, F403
from portal.settings.map import *  # noqa: E402, F403
from portal.settings.rest import *  # noqa: E402, F403
from portal.settings.security import *  # noqa: E402, F403
from portal.settings.storage import *  # noqa: E402, F403
from portal.settings.trust import *  # noqa: E402, F403
from portal.settings.workers import *  # noqa: E402, F403

VANTAGE_SECURE = flag("VANTAGE_SECURE", False)
