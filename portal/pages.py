"""Pages that join rooms: the desk, the overview map, global search, the task centre, the audit trail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import View

from apps.accounts.models import Grant, Job, Notification
from apps.accounts.services.sessions import mark_of, sessions_of
from apps.algorithms.models import Algorithm
from apps.analysis.models import AnalysisTask
from apps.core import clock
from apps.core.framing import framed_by
from apps.core.models import AuditRecord
from apps.devices.models import Camera
from apps.devices.views import map_settings
from apps.events.models import Event
from apps.events.views.shared import for_map
from apps.openapi.models import Delivery
from portal.audit_words import action_word

EXPIRY_DAYS = 30
SEARCH_ROWS = 6


def _tile(label: Any, count: int, url: str, tone: str = "") -> dict[str, Any]:
    return {"label": label, "count": count, "url": url, "tone": tone}


def _tiles(principal: Any) -> list[dict[str, Any]]:
    """What waits for this person; every number leads to the list behind it."""
    day = clock.now() - timedelta(days=1)
    events = Event.objects.visible_to(principal)
    cameras = Camera.objects.visible_to(principal)
    pending = events.filter(review_state="pending")
    event_list, camera_list = reverse("events:event-list"), reverse("devices:camera-list")
    tiles = [
        _tile(
            _("Urgent, to review"),
            pending.filter(level="urgent").count(),
            reverse("events:workbench"),
            "urgent",
        ),
        _tile(_("To review"), pending.count(), reverse("events:workbench"), "pending"),
        _tile(_("Events of the last 24 hours"), events.filter(time__gte=day).count(), event_list),
        _tile(
            _("Cameras online"),
            cameras.filter(state="online").count(),
            f"{camera_list}?state=online",
            "online",
        ),
        _tile(
            _("Cameras offline"),
            cameras.filter(state="offline").count(),
            f"{camera_list}?state=offline",
            "offline",
        ),
        _tile(
            _("Tasks running"),
            AnalysisTask.objects.visible_to(principal).filter(state="running").count(),
            f"{reverse('analysis:task-list')}?state=running",
            "running",
        ),
    ]
    dead = Delivery.objects.visible_to(principal).filter(state="dead").count()
    tiles.append(
        _tile(_("Deliveries given up"), dead, f"{reverse('openapi:delivery-list')}?state=dead", "dead")
    )
    return tiles


def home(request: HttpRequest) -> HttpResponse:
    """我的工作台: what waits for me, what is new, which grants end; nobody goes to the login."""
    principal = request.principal
    if principal is None:
        return redirect("login")
    soon = clock.now() + timedelta(days=EXPIRY_DAYS)
    grants = (
        Grant.objects.visible_to(principal)
        .valid_at(clock.now())
        .filter(valid_to__lt=soon)
        .order_by("valid_to")
    )
    context = {
        "title": _("My desk"),
        "tiles": _tiles(principal),
        "events": Event.objects.visible_to(principal).listed().order_by("-id")[:10],
        "grants": grants[:10],
    }
    return render(request, "portal/desk.html", context)


def admin_login(request: HttpRequest) -> HttpResponse:
    """The Django admin has no door of its own: lockout, second factor and words are those of the site's."""
    return redirect(f"{reverse('login')}?{urlencode({'next': reverse('admin:index')})}")


def framing_sites(request: HttpRequest) -> list[str]:
    """The sites that the person's own organisation named."""
    return list(request.principal.user.organisation.framing_origins) if request.principal else []


@framed_by(framing_sites)
@login_required
def overview(request: HttpRequest) -> HttpResponse:
    """The city on one map: cameras, the newest events, and events as they come."""
    recent = list(Event.objects.visible_to(request.principal).listed().order_by("-id")[:30])
    return render(request, "portal/overview.html", {"map_events": for_map(recent), **map_settings()})


@login_required
def search(request: HttpRequest) -> HttpResponse:
    """Cameras, events and algorithms by words; htmx gets links alone."""
    text = request.GET.get("q", "").strip()[:100]
    groups = _found(request.principal, text) if text else []
    template = "portal/search_results.html" if request.htmx else "portal/search.html"
    return render(request, template, {"q": text, "groups": groups, "title": _("Search")})


def _found(principal: Any, text: str) -> list[dict[str, Any]]:
    cameras = Camera.objects.visible_to(principal).filter(search_text__icontains=text)[:SEARCH_ROWS]
    by_type = Q(event_type__name_zh__icontains=text) | Q(event_type__name_en__icontains=text)
    events = Event.objects.visible_to(principal).listed().filter(by_type | Q(camera__name__icontains=text))
    algorithms = Algorithm.objects.visible_to(principal).filter(
        Q(name_zh__icontains=text) | Q(name_en__icontains=text) | Q(slug__icontains=text)
    )
    return [
        {
            "label": _("Cameras"),
            "rows": [(row.name, reverse("devices:camera-detail", args=[row.pk])) for row in cameras],
            "all": f"{reverse('devices:camera-list')}?{urlencode({'q': text})}",
        },
        {
            "label": _("Events"),
            "rows": [
                (f"{row.event_type.name} · {row.camera.name}", reverse("events:event-detail", args=[row.pk]))
                for row in events.order_by("-id")[:SEARCH_ROWS]
            ],
            "all": f"{reverse('events:event-list')}?{urlencode({'q': text})}",
        },
        {
            "label": _("Algorithms"),
            "rows": [
                (row.name, reverse("algorithms:algorithm-detail", args=[row.pk]))
                for row in algorithms[:SEARCH_ROWS]
            ],
            "all": f"{reverse('algorithms:algorithm-list')}?{urlencode({'q': text})}",
        },
    ]


@login_required
def job_list(request: HttpRequest) -> HttpResponse:
    """The task centre's menu: own jobs, newest first."""
    jobs = Job.objects.visible_to(request.principal).order_by("-id")[:20]
    return render(request, "portal/jobs.html", {"jobs": jobs})


@login_required
def notification_list(request: HttpRequest) -> HttpResponse:
    """The menu of notifications; opening it marks them read."""
    rows = list(Notification.objects.visible_to(request.principal).order_by("-id")[:20])
    if request.method == "GET":
        Notification.objects.visible_to(request.principal).filter(read_at__isnull=True).update(
            read_at=clock.now()
        )
    return render(request, "portal/notifications.html", {"notifications": rows})


@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """Who I am here: my roles, grants, open sessions and second factor."""
    grants = Grant.objects.visible_to(request.principal).valid_at(clock.now()).order_by("valid_to")[:50]
    context = {
        "title": _("My account"),
        "bindings": request.user.role_bindings.all(),
        "grants": grants,
        "sessions": sessions_of(request.user),
        "this_session": mark_of(request.session.session_key),
    }
    return render(request, "portal/profile.html", context)


def _with_words(records: list[AuditRecord]) -> list[AuditRecord]:
    for record in records:
        record.word = action_word(record.action)  # type: ignore[attr-defined]
    return records


class AuditListView(LoginRequiredMixin, View):
    """The audit trail for 审计管理员; filters by actor, action, object."""

    columns = (
        ("seq", gettext_lazy("Number")), ("at", gettext_lazy("Time")), ("actor", gettext_lazy("Who")),
        ("action", gettext_lazy("Action")), ("object", gettext_lazy("Object")), ("outcome", gettext_lazy("Outcome")),
        ("address", gettext_lazy("Address")),
    )  # fmt: skip

    def rows(self) -> QuerySet[AuditRecord]:
        """Narrowed by `q` (actor, action or object) and `before` (a number)."""
        rows = AuditRecord.objects.order_by("-seq")
        text = self.request.GET.get("q", "").strip()
        if text:
            rows = rows.filter(
                Q(actor_name__icontains=text) | Q(action__icontains=text) | Q(object_name__icontains=text)
            )
        before = self.request.GET.get("before", "")
        return rows.filter(seq__lt=int(before)) if before.isdigit() else rows

    def get(self, request: HttpRequest) -> HttpResponse:
        """A foreign role does not learn that the page exists."""
        if not request.principal.can("audit.view"):
            raise Http404
        found = list(self.rows()[:101])
        context = {
            "title": _("Audit"),
            "columns": self.columns,
            "records": _with_words(found[:100]),
            "next_before": found[99].seq if len(found) > 100 else None,
            "q": request.GET.get("q", ""),
        }
        return render(request, "portal/audit_list.html", context)
