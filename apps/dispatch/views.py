"""Pages of operations: the chain, nodes, health."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from apps.core import clock
from apps.core.pages import Column, KeysetPage, VisibleListView
from apps.dispatch.models import ComputeNode
from apps.dispatch.registry import frame_stages, links
from apps.dispatch.selectors import faulty_models, is_lost
from apps.dispatch.selectors.chain import hours_of
from apps.dispatch.selectors.frame import find_frame, recent_events
from apps.dispatch.selectors.health import duties
from apps.dispatch.selectors.link import Link
from apps.dispatch.selectors.stage import Frame, Stage, with_gaps

logger = logging.getLogger(__name__)


def chain_links(now: datetime, principal: Any) -> list[Link]:
    """All links in their order; a probe that fails is a red tile, never a broken page."""
    found = []
    for name, probe in links.items():
        try:
            found.append(probe(now, principal))
        except Exception:
            logger.exception("probe %s failed", name)
            found.append(
                Link(
                    name.partition("-")[2],
                    name.partition("-")[2],
                    state="down",
                    reason=_("This link could not be asked."),
                    next_step=_("Look at the log of the web process."),
                )
            )
    return found


@login_required
@never_cache
def chain(request: HttpRequest) -> HttpResponse:
    """链路追踪: from camera to push; the tiles alone for the refresh."""
    request.principal.must("operations.view")
    now = clock.now()
    found = chain_links(now, request.principal)
    context = {
        "title": _("Chain"),
        "links": found,
        "worst": next((link for state in ("down", "warning") for link in found if link.state == state), None),
        "hour": hours_of(now),
        "now": now,
    }
    part = request.GET.get("part") == "tiles"
    if not part:
        context["events"] = recent_events(request.principal)
    return render(request, "dispatch/chain_tiles.html" if part else "dispatch/chain.html", context)


def stages_of(frame: Frame, principal: Any) -> list[Stage]:
    """The road of one frame in order, with the gaps between."""
    return with_gaps([stage for _name, of in frame_stages.items() for stage in of(frame, principal)])


@login_required
@never_cache
def frame_chain(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The chain of one frame, by the id of its slot, its picture, a raw event or an event."""
    request.principal.must("operations.view")
    frame = find_frame(pk, request.principal)
    if frame is None:
        raise Http404
    stages = stages_of(frame, request.principal)
    moments = [moment for stage in stages for moment in (stage.began, stage.ended) if moment]
    context = {
        "title": _("Chain of one frame"),
        "frame": frame,
        "stages": stages,
        "total": (max(moments) - min(moments)).total_seconds() if moments else None,
        "worst": next(
            (stage for state in ("failed", "waiting") for stage in stages if stage.state == state), None
        ),
        "last": stages[-1] if stages else None,
    }
    return render(request, "dispatch/frame.html", context)


@login_required
@never_cache
def health(request: HttpRequest) -> HttpResponse:
    """What must run, and whether it does."""
    request.principal.must("operations.view")
    found = duties(clock.now())
    part = request.GET.get("part") == "duties"
    template = "dispatch/health_duties.html" if part else "dispatch/health.html"
    return render(request, template, {"title": _("Health"), "duties": found})


class NodeListView(VisibleListView):
    """Machines that run inference."""

    model = ComputeNode
    title = gettext_lazy("Nodes")
    row_template = "dispatch/node_row.html"
    columns = (
        Column("name", gettext_lazy("Name")),
        Column("state", gettext_lazy("State")),
        Column("heartbeat", gettext_lazy("Last heartbeat")),
        Column("engine", gettext_lazy("Engine")),
        Column("providers", gettext_lazy("Providers")),
        Column("cores", gettext_lazy("Cores"), numeric=True),
        Column("load", gettext_lazy("Load"), numeric=True),
        Column("memory", gettext_lazy("Free memory"), numeric=True),
        Column("streams", gettext_lazy("Streams"), numeric=True),
        Column("frames", gettext_lazy("Frame store"), numeric=True),
        Column("started", gettext_lazy("Started"), hidden=True),
    )

    def rows(self) -> QuerySet[ComputeNode]:
        """With their units."""
        return super().rows().prefetch_related("units")

    def context(self, page: KeysetPage) -> dict[str, Any]:
        """Marks nodes that are silent."""
        now = clock.now()
        for row in page.rows:
            row.faulty_models = faulty_models(row)
            row.state = "lost" if is_lost(row, now) else "drained" if row.is_drained else "online"
        return {
            "empty_icon": "server-off",
            "empty_title": _("No node has reported yet"),
            "empty_text": _("A node appears with the first heartbeat of its stream holder."),
        }
