"""The documentation of the interface, from this site alone and without inline script or style."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView


class ApiDocsView(LoginRequiredMixin, SpectacularSwaggerSplitView):  # type: ignore[misc]
    """Swagger UI inside the portal's shell; the script that starts it is a request of its own (strict CSP)."""

    template_name = "openapi/docs.html"
    title = _("API documentation")
    login_url = reverse_lazy("login")

    @extend_schema(exclude=True)
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """The page, or with `?script` its script."""
        return super().get(request, *args, **kwargs)
