"""Pages of the algorithms room: warehouse, packages with their report, event types and mappings."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from apps.accounts.models import Organisation
from apps.algorithms import services
from apps.algorithms.filters import AlgorithmFilter, PackageFilter
from apps.algorithms.forms import EventTypeForm, MappingForm, PackageForm, stored_upload
from apps.algorithms.models import Algorithm, AlgorithmPackage, AlgorithmVersion, DetectionItem, EventType
from apps.core.errors import Refusal
from apps.core.pages import Column, KeysetPage, VisibleListView


class AlgorithmListView(VisibleListView):
    """The warehouse."""

    model = Algorithm
    title = gettext_lazy("Warehouse")
    filterset_class = AlgorithmFilter
    row_template = "algorithms/algorithm_row.html"
    columns = (
        Column("name", gettext_lazy("Algorithm")),
        Column("slug", gettext_lazy("Code")),
        Column("versions", gettext_lazy("Versions")),
        Column("items", gettext_lazy("Detection items")),
        Column("vendor", gettext_lazy("Vendor")),
    )

    def rows(self) -> QuerySet[Algorithm]:
        """With versions and items."""
        return super().rows().prefetch_related("versions", "items__event_type")

    def context(self, page: KeysetPage) -> dict[str, Any]:
        """An empty warehouse leads to the upload."""
        return {
            "empty_icon": "cpu",
            "empty_title": _("No algorithms yet"),
            "empty_text": _(
                "Upload an algorithm package; once it passes its check its algorithms appear here."
            ),
            "empty_url": reverse("algorithms:package-upload"),
            "empty_action": _("Upload a package"),
        }


@login_required
def algorithm_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One algorithm: versions, parameters, statement, items and their mapping."""
    algorithm = get_object_or_404(Algorithm.objects.visible_to(request.principal), pk=pk)
    context = {
        "algorithm": algorithm,
        "versions": algorithm.versions.prefetch_related("packages").order_by("-id"),
        "items": algorithm.items.select_related("event_type"),
        "mapping_form": MappingForm(),
        "can_map": request.principal.can("event_types.manage") and request.principal.is_at_top,
        "can_list": services.may_manage(request.principal, algorithm),
    }
    return render(request, "algorithms/algorithm_detail.html", context)


@login_required
@require_POST
def version_list_toggle(request: HttpRequest, pk: UUID) -> HttpResponse:
    """On or off the shelf."""
    version = get_object_or_404(AlgorithmVersion.objects.visible_to(request.principal), pk=pk)
    services.set_listed(by=request.principal, version=version, listed=request.POST.get("listed") == "1")
    return HttpResponseRedirect(reverse("algorithms:algorithm-detail", args=[version.algorithm_id]))


@login_required
@require_POST
def mapping_decide(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Accept the chosen type for a detection item, or refuse it."""
    item = get_object_or_404(DetectionItem.objects.visible_to(request.principal), pk=pk)
    if request.POST.get("decision") == "refuse":
        services.refuse_mapping(by=request.principal, item=item)
    else:
        form = MappingForm(request.POST)
        chosen = form.cleaned_data["event_type"] if form.is_valid() else None
        services.accept_mapping(by=request.principal, item=item, event_type=chosen)
    return HttpResponseRedirect(reverse("algorithms:algorithm-detail", args=[item.algorithm_id]))


class PackageListView(VisibleListView):
    """Uploaded packages."""

    model = AlgorithmPackage
    title = gettext_lazy("Packages")
    filterset_class = PackageFilter
    row_template = "algorithms/package_row.html"
    columns = (
        Column("file", gettext_lazy("File")),
        Column("state", gettext_lazy("State")),
        Column("platform", gettext_lazy("Platform")),
        Column("algorithms", gettext_lazy("Algorithms")),
        Column("fingerprint", gettext_lazy("Fingerprint")),
        Column("created", gettext_lazy("Uploaded")),
    )

    def context(self, page: KeysetPage) -> dict[str, Any]:
        """Uploading is offered to those who may."""
        return {
            **self.adding("packages.manage", "algorithms:package-upload", _("Upload a package")),
            "empty_icon": "package",
            "empty_title": _("No packages yet"),
            "empty_text": _("A package is one zip with models, samples and a manifest."),
        }


@login_required
def package_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The report of the check, rule by rule, with how to mend what failed."""
    package = get_object_or_404(AlgorithmPackage.objects.visible_to(request.principal), pk=pk)
    context = {"package": package, "versions": package.versions.select_related("algorithm")}
    return render(request, "algorithms/package_detail.html", context)


@login_required
def package_upload(request: HttpRequest) -> HttpResponse:
    """Upload; the check runs in the background and the page of the package shows it."""
    request.principal.must("packages.manage")
    form = PackageForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["file"]
        organisation = Organisation.objects.get(pk=request.principal.organisation_id)
        try:
            with stored_upload(upload) as path:
                package = services.upload_package(
                    by=request.principal,
                    path=path,
                    file_name=Path(upload.name).name,
                    organisation=organisation,
                )
        except Refusal as refusal:
            form.add_error("file", str(refusal.message))
        else:
            return HttpResponseRedirect(reverse("algorithms:package-detail", args=[package.pk]))
    context = {"form": form, "title": _("Upload a package"), "cancel_url": reverse("algorithms:package-list")}
    return render(request, "generic/form.html", context)


class EventTypeListView(VisibleListView):
    """The platform's event types."""

    model = EventType
    title = gettext_lazy("Event types")
    row_template = "algorithms/event_type_row.html"
    columns = (
        Column("code", gettext_lazy("Code")),
        Column("name", gettext_lazy("Name")),
        Column("level", gettext_lazy("Level")),
        Column("policy", gettext_lazy("Review policy")),
        Column("validity", gettext_lazy("Validity"), numeric=True),
        Column("national", gettext_lazy("National code")),
    )

    def context(self, page: KeysetPage) -> dict[str, Any]:
        """Operators at the top of the site add types."""
        principal = self.request.principal  # type: ignore[attr-defined]
        can = principal.can("event_types.manage") and principal.is_at_top
        return {
            "can_edit": can,
            "add_url": reverse("algorithms:event-type-add") if can else "",
            "add_label": _("Add an event type"),
            "empty_icon": "list-tree",
            "empty_title": _("No event types yet"),
            "empty_text": _("Without an event type no detection can raise an event."),
        }


@login_required
def event_type_edit(request: HttpRequest, pk: UUID | None = None) -> HttpResponse:
    """Add or change a type."""
    request.principal.must("event_types.manage")
    request.principal.must_be_at_top()
    instance = get_object_or_404(EventType.objects.visible_to(request.principal), pk=pk) if pk else None
    form = EventTypeForm(request.POST or None, instance=instance)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        services.save_event_type(by=request.principal, code=values.pop("code"), **values)
        return HttpResponseRedirect(reverse("algorithms:event-type-list"))
    context = {"form": form, "title": _("Event type"), "cancel_url": reverse("algorithms:event-type-list")}
    return render(request, "generic/form.html", context)
