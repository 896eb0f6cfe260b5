"""The open interface: every room's routes under /api/v1, its schema and its offline documentation."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.urls import URLPattern, URLResolver, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import DefaultRouter

ROOMS = ("devices", "algorithms", "analysis", "events", "strategies", "dispatch", "openapi")

router = DefaultRouter(trailing_slash=False)
router.include_root_view = False
router.include_format_suffixes = False
urlpatterns: list[URLPattern | URLResolver] = []
for _room in ROOMS:
    if find_spec(f"apps.{_room}.api"):
        _module = import_module(f"apps.{_room}.api")
        for _prefix, _viewset in getattr(_module, "routes", []):
            router.register(_prefix, _viewset)
        urlpatterns += getattr(_module, "urlpatterns", [])
urlpatterns += [path("schema", SpectacularAPIView.as_view(), name="schema"), *router.urls]


def only_public_api(endpoints: list[tuple[Any, ...]], **options: Any) -> list[tuple[Any, ...]]:
    """Schema hook: the documented interface is /api/v1 without the schema itself."""
    return [item for item in endpoints if item[0].startswith("/api/v1/") and item[0] != "/api/v1/schema"]
