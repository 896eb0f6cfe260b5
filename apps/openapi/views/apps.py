"""Apps and their keys."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from apps.core import clock
from apps.core.errors import Refusal
from apps.core.pages import Column, KeysetPage, VisibleListView
from apps.openapi import services
from apps.openapi.forms import AppForm, KeyForm
from apps.openapi.models import ApiKey, App, Service
from apps.openapi.services import NewKey
from apps.openapi.views.common import show_refusal, visible_or_404


class AppListView(VisibleListView):
    """The Apps of one's organisation."""

    model = App
    title = gettext_lazy("Apps")
    row_template = "openapi/app_row.html"
    columns = (
        Column("name", gettext_lazy("Name")),
        Column("organisation", gettext_lazy("Organisation")),
        Column("state", gettext_lazy("State")),
        Column("keys", gettext_lazy("Valid keys"), numeric=True),
        Column("subscriptions", gettext_lazy("Subscriptions"), numeric=True),
        Column("created", gettext_lazy("Registered")),
    )

    def rows(self) -> QuerySet[Any]:
        """With what a row shows."""
        valid = Q(keys__revoked_at__isnull=True) & (
            Q(keys__expires_at__isnull=True) | Q(keys__expires_at__gt=clock.now())
        )
        return (
            super()
            .rows()
            .select_related("organisation")
            .annotate(
                valid_keys=Count("keys", filter=valid, distinct=True),
                subscription_count=Count("subscriptions", distinct=True),
            )
        )

    def context(self, page: KeysetPage) -> dict[str, Any]:
        """Registering is offered to those who may."""
        return {
            **self.adding("apps.manage", "openapi:app-add", _("Register an app")),
            "intro": _(
                "A system that reads or subscribes is an app; its keys never reach further than its organisation."
            ),
            "empty_icon": "apps",
            "empty_title": _("No apps yet"),
            "empty_text": _("Register one to call the interface or to receive events."),
        }


@login_required
def app_add(request: HttpRequest) -> HttpResponse:
    """Register an App."""
    request.principal.must("apps.manage")  # type: ignore[attr-defined]
    form = AppForm(request.POST or None, principal=request.principal)  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        try:
            app = services.register_app(by=request.principal, **form.cleaned_data)  # type: ignore[attr-defined]
            return redirect("openapi:app-detail", app.pk)
        except Refusal as error:
            show_refusal(form, error)
    context = {"form": form, "title": _("Register an app"), "cancel_url": reverse("openapi:app-list")}
    return render(request, "generic/form.html", context, status=400 if form.errors else 200)


@login_required
def app_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One App: keys, scopes, subscriptions."""
    return _page(request, _app(request, pk), KeyForm())


@login_required
@never_cache
@require_POST
def key_add(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Make a key; the page that answers shows it this once."""
    app, form = _app(request, pk), KeyForm(request.POST)
    request.principal.must("apps.manage")  # type: ignore[attr-defined]
    made: NewKey | None = None
    if form.is_valid():
        try:
            made = services.create_api_key(by=request.principal, app=app, **form.cleaned_data)  # type: ignore[attr-defined]
        except Refusal as error:
            show_refusal(form, error)
    return _page(request, app, KeyForm() if made else form, made)


@login_required
@require_POST
def key_revoke(request: HttpRequest, pk: UUID) -> HttpResponse:
    """End a key now."""
    key = visible_or_404(ApiKey.objects.select_related("app"), request, pk)
    services.revoke_api_key(by=request.principal, key=key)  # type: ignore[attr-defined]
    messages.success(request, _("The key was revoked; requests with it fail from now on."))
    return redirect("openapi:app-detail", key.app_id)


@login_required
@never_cache
@require_POST
def key_rotate(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Replace a key; the page that answers shows the new one this once."""
    key = visible_or_404(ApiKey.objects.select_related("app__organisation"), request, pk)
    made = services.rotate_api_key(by=request.principal, key=key)  # type: ignore[attr-defined]
    return _page(request, key.app, KeyForm(), made)


@login_required
@require_POST
def app_state(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Put the App in or out of use."""
    app = _app(request, pk)
    services.change_app(by=request.principal, app=app, is_active=request.POST.get("active") == "1")  # type: ignore[attr-defined]
    return redirect("openapi:app-detail", app.pk)


def _app(request: HttpRequest, pk: UUID) -> App:
    found: App = visible_or_404(App.objects.select_related("organisation", "created_by"), request, pk)
    return found


def _page(request: HttpRequest, app: App, form: KeyForm, made: NewKey | None = None) -> HttpResponse:
    context = {
        "app": app,
        "form": form,
        "made": made,
        "keys": app.keys.order_by("-created_at"),
        "subscriptions": app.subscriptions.order_by("name"),
        "services": Service.objects.order_by("code"),
        "can_manage": request.principal.can("apps.manage"),  # type: ignore[attr-defined]
        "now": clock.now(),
    }
    return render(request, "openapi/app_detail.html", context, status=400 if form.errors else 200)
