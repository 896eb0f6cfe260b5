"""The rail as data: areas in duty order, each with its pages. A page whose URL name does not exist is skipped."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Page:
    """One entry of an area. `ability` is what the user must be able to do to see it; empty means every user."""

    label: str | Promise
    url_name: str
    ability: str = ""
    prefixes: tuple[str, ...] = ()
    """Further view names (or namespaces ending in ":") that belong to this page."""


@dataclass(frozen=True)
class Area:
    """One word on the rail; it leads to the first of its pages that the user may see."""

    label: str | Promise
    icon: str
    pages: tuple[Page, ...]


AREAS: tuple[Area, ...] = (
    Area(_("My desk"), icon="home", pages=(Page(_("My desk"), "home", prefixes=("accounts:desk",)),)),
    Area(_("Map"), icon="map-2", pages=(Page(_("Overview map"), "overview"),)),
    Area(
        _("Video"),
        icon="video",
        pages=(
            Page(_("Map & search"), "devices:camera-map"),
            Page(_("Cameras"), "devices:camera-list", prefixes=("devices:camera", "devices:stream")),
            Page(_("Ledger of looks"), "devices:ledger", ability="ledger.view", prefixes=("devices:ledger",)),
        ),
    ),
    Area(
        _("Algorithms"),
        icon="cpu",
        pages=(
            Page(_("Warehouse"), "algorithms:algorithm-list", prefixes=("algorithms:algorithm",)),
            Page(_("Packages"), "algorithms:package-list", prefixes=("algorithms:package",)),
            Page(_("Event types"), "algorithms:event-type-list", prefixes=("algorithms:event-type",)),
        ),
    ),
    Area(
        _("Analysis"),
        icon="scan-eye",
        pages=(
            Page(_("Tasks"), "analysis:task-list", prefixes=("analysis:task",)),
            Page(_("Scenes"), "analysis:scene-list", prefixes=("analysis:scene",)),
            Page(_("Plans"), "analysis:plan-list", prefixes=("analysis:plan",)),
            Page(_("Capture results"), "analysis:slot-list", prefixes=("analysis:slot",)),
        ),
    ),
    Area(
        _("Events"),
        icon="bell-ringing",
        pages=(
            Page(_("Live"), "events:live"),
            Page(_("Workbench"), "events:workbench", ability="events.review"),
            Page(_("Event library"), "events:event-list", prefixes=("events:event",)),
        ),
    ),
    Area(
        _("Strategies"),
        icon="git-branch",
        pages=(
            Page(_("Strategies"), "strategies:strategy-list", prefixes=("strategies:strategy",)),
            Page(_("Traces"), "strategies:trace-list", prefixes=("strategies:trace",)),
        ),
    ),
    Area(
        _("Open platform"),
        icon="plug-connected",
        pages=(
            Page(_("Apps"), "openapi:app-list", prefixes=("openapi:app",)),
            Page(_("Subscriptions"), "openapi:subscription-list", prefixes=("openapi:subscription",)),
            Page(_("Deliveries"), "openapi:delivery-list", prefixes=("openapi:delivery",)),
            Page(_("API documentation"), "api-docs"),
        ),
    ),
    Area(
        _("Operations"),
        icon="activity-heartbeat",
        pages=(
            Page(_("Chain"), "dispatch:chain", ability="operations.view", prefixes=("dispatch:chain",)),
            Page(_("Nodes"), "dispatch:node-list", ability="operations.view", prefixes=("dispatch:node",)),
            Page(_("Audit"), "audit-list", ability="audit.view"),
            Page(_("Odd looking"), "devices:odd-list", ability="audit.view", prefixes=("devices:odd",)),
            Page(
                _("Keeping times"),
                "devices:retention-list",
                ability="retention.manage",
                prefixes=("devices:retention", "devices:deletion", "devices:lock"),
            ),
            Page(_("Deletion records"), "devices:deletion-list", ability="audit.view"),
            Page(_("Administration"), "admin:index", ability="admin.enter"),
            Page(_("Health"), "dispatch:health", ability="operations.view"),
        ),
    ),
)
