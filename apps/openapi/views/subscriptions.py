"""Subscriptions: list, form, detail with test, rotation, doctor and replay."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from apps.core.errors import Refusal
from apps.core.pages import Column, KeysetPage, VisibleListView
from apps.events.models import Event
from apps.openapi import selectors, services
from apps.openapi.choices import AttemptError, DisableReason
from apps.openapi.filters import DELIVERY_KINDS, SubscriptionPageFilter
from apps.openapi.forms import ReplayForm, SubscriptionForm
from apps.openapi.models import Subscription
from apps.openapi.services.secrets import secret_facts
from apps.openapi.views.common import show_refusal, visible_or_404


class SubscriptionListView(VisibleListView):
    """Who gets which events where."""

    model = Subscription
    title = gettext_lazy("Subscriptions")
    filterset_class = SubscriptionPageFilter
    row_template = "openapi/subscription_row.html"
    columns = (
        Column("name", gettext_lazy("Name")),
        Column("app", gettext_lazy("App")),
        Column("endpoint", gettext_lazy("Endpoint")),
        Column("state", gettext_lazy("State")),
        Column("kinds", gettext_lazy("Messages")),
        Column("failing", gettext_lazy("Failing since")),
        Column("created", gettext_lazy("Created"), hidden=True),
    )

    def rows(self) -> QuerySet[Any]:
        """With what a row shows."""
        return super().rows().select_related("app__organisation")

    def context(self, page: KeysetPage) -> dict[str, Any]:
        """Subscribing is offered to those who may."""
        return {
            **self.adding("apps.manage", "openapi:subscription-add", _("Subscribe")),
            "empty_icon": "rss",
            "empty_title": _("No subscriptions yet"),
            "empty_text": _("A subscription sends events, signed, to a receiver of your organisation."),
        }


@login_required
@never_cache
def subscription_add(request: HttpRequest) -> HttpResponse:
    """Subscribe; the page that answers shows the signing secret this once."""
    principal = request.principal  # type: ignore[attr-defined]
    principal.must("apps.manage")
    form = SubscriptionForm(
        request.POST or None, principal=principal, initial={"app": request.GET.get("app")}
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_subscription(by=principal, app=form.cleaned_data["app"], **form.values())
            return _page(request, made.subscription, secret=made.secret)
        except Refusal as error:
            show_refusal(form, error)
    return _form_page(request, form, _("Subscribe to events"), reverse("openapi:subscription-list"))


@login_required
def subscription_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Change a subscription."""
    row, principal = _row(request, pk), request.principal  # type: ignore[attr-defined]
    principal.must("apps.manage")
    form = SubscriptionForm(request.POST or None, principal=principal, subscription=row)
    if request.method == "POST" and form.is_valid():
        try:
            services.update_subscription(by=principal, subscription=row, **form.values())
            return redirect("openapi:subscription-detail", row.pk)
        except Refusal as error:
            show_refusal(form, error)
    return _form_page(request, form, row.name, reverse("openapi:subscription-detail", args=[row.pk]))


@login_required
def subscription_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One subscription; with `?event=` the doctor says why that event did or did not arrive."""
    return _page(request, _row(request, pk))


@login_required
@require_POST
def subscription_test(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Send the example now and show the answer (a fragment for htmx, else the whole page)."""
    row = _row(request, pk)
    result = services.send_test(by=request.principal, subscription=row)  # type: ignore[attr-defined]
    if getattr(request, "htmx", False):
        return render(
            request, "openapi/test_result.html", {"result": result, "errors": dict(AttemptError.choices)}
        )
    return _page(request, row, result=result)


@login_required
@never_cache
@require_POST
def subscription_rotate(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A new secret, shown this once."""
    row = _row(request, pk)
    secret = services.rotate_secret(by=request.principal, subscription=row)  # type: ignore[attr-defined]
    return _page(request, _row(request, pk), secret=secret)


@login_required
@require_POST
def subscription_state(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Pause or resume."""
    row, wanted = _row(request, pk), request.POST.get("state")
    change = services.pause_subscription if wanted == "paused" else services.resume_subscription
    change(by=request.principal, subscription=row)  # type: ignore[attr-defined]
    return redirect("openapi:subscription-detail", row.pk)


@login_required
@require_POST
def subscription_delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Remove it with its log."""
    services.delete_subscription(by=request.principal, subscription=_row(request, pk))  # type: ignore[attr-defined]
    messages.success(request, _("The subscription was deleted."))
    return redirect("openapi:subscription-list")


@login_required
@require_POST
def subscription_replay(request: HttpRequest, pk: UUID) -> HttpResponse:
    """First the preview of what would be sent; with `confirm` it is sent."""
    row, form = _row(request, pk), ReplayForm(request.POST)
    plan = None
    if form.is_valid():
        values = {"by": request.principal, "subscription": row, **form.cleaned_data}  # type: ignore[attr-defined]
        try:
            if request.POST.get("confirm"):
                count = services.replay_range(**values).count
                messages.success(request, _("%(count)d messages were queued.") % {"count": count})
                return redirect(f"{reverse('openapi:delivery-list')}?subscription={row.pk}")
            plan = services.plan_replay(**values)
        except Refusal as error:
            show_refusal(form, error)
    context = {"subscription": row, "form": form, "plan": plan}
    return render(request, "openapi/replay.html", context, status=400 if form.errors else 200)


def _row(request: HttpRequest, pk: UUID) -> Subscription:
    found: Subscription = visible_or_404(
        Subscription.objects.select_related("app__organisation"), request, pk
    )
    return found


def _form_page(request: HttpRequest, form: SubscriptionForm, title: str, cancel_url: str) -> HttpResponse:
    def bounds(*names: str) -> list[Any]:
        return [form[name] for name in names if name in form.fields]

    fieldsets = [
        (_("Receiver"), bounds("app", "name", "endpoint")),
        (_("Which messages"), bounds("kinds", "only_reviewed")),
        (_("Which events"), bounds("type_scope", "event_types", "camera_scope", "cameras", "condition")),
    ]
    context = {"form": form, "title": title, "fieldsets": fieldsets, "cancel_url": cancel_url}
    return render(request, "generic/form.html", context, status=400 if form.errors else 200)


def _page(request: HttpRequest, row: Subscription, *, secret: str = "", result: Any = None) -> HttpResponse:
    event, asked = _asked_event(request)
    context = {
        "subscription": row,
        "reason": dict(DisableReason.choices).get(row.state_reason, ""),
        "secret": secret,
        "secrets": secret_facts(row),
        "result": result,
        "errors": dict(AttemptError.choices),
        "kinds": dict(DELIVERY_KINDS),
        "event_types": row.event_types.order_by("code"),
        "cameras": row.cameras.order_by("name")[:50],
        "deliveries": row.deliveries.order_by("-created_at")[:20],
        "asked": asked,
        "event": event,
        "stages": selectors.explain(row, event) if event else [],
        "replay_form": ReplayForm(),
        "can_manage": request.principal.can("apps.manage"),  # type: ignore[attr-defined]
    }
    return render(request, "openapi/subscription_detail.html", context)


def _asked_event(request: HttpRequest) -> tuple[Event | None, str]:
    """The event the doctor is asked about, as far as the person may see it."""
    asked = request.GET.get("event", "").strip()
    try:
        rows = Event.objects.visible_to(request.principal).filter(pk=UUID(asked))  # type: ignore[attr-defined]
    except ValueError:
        return None, asked
    return rows.select_related("event_type", "camera").first(), asked
