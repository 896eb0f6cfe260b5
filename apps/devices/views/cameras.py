"""Cameras: list, map, the camera page, add and edit."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

import cv2
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.models import Organisation
from apps.core import clock
from apps.core.errors import Refusal
from apps.core.pages import Column, KeysetPage, VisibleListView
from apps.devices import selectors, services
from apps.devices.filters import CameraFilter
from apps.devices.forms import CameraForm, NewCameraForm, StreamForm
from apps.devices.models import Camera, Stream
from apps.devices.services.live import live_right
from apps.devices.services.media import media_url
from apps.devices.services.purpose import purpose_in
from apps.devices.services.streams import live_reason
from apps.devices.views.purpose import purpose_url


class CameraListView(VisibleListView):
    """The catalogue as a table."""

    model = Camera
    title = gettext_lazy("Cameras")
    filterset_class = CameraFilter
    row_template = "devices/camera_row.html"
    columns = (
        Column("name", gettext_lazy("Name")),
        Column("code", gettext_lazy("Code")),
        Column("state", gettext_lazy("State")),
        Column("organisation", gettext_lazy("Managed by")),
        Column("region", gettext_lazy("Region")),
        Column("address", gettext_lazy("Address"), hidden=True),
        Column("sharing", gettext_lazy("Sharing class"), hidden=True),
        Column("seen", gettext_lazy("Last seen")),
    )

    def rows(self) -> QuerySet[Camera]:
        """With what a row shows."""
        return super().rows().select_related("managing_organisation", "region").prefetch_related("identities")

    def context(self, page: KeysetPage) -> dict[str, Any]:
        """Adding is offered to those who may."""
        return {
            **self.adding("cameras.edit", "devices:camera-add", _("Add a camera")),
            "empty_icon": "video-off",
            "empty_title": _("No cameras yet"),
            "empty_text": _("Cameras your organisation manages or was granted appear here."),
        }


@login_required
def camera_map(request: HttpRequest) -> HttpResponse:
    """Map and search: the list beside the map is the first page of what the filters find."""
    rows = Camera.objects.visible_to(request.principal)
    filtered = CameraFilter(request.GET, queryset=rows)
    found = filtered.qs.select_related("managing_organisation").order_by("name")[:200]
    context = {
        "filters": filtered.form,
        "found": found,
        "facets": selectors.facets(filtered.qs),
        **map_settings(),
    }
    template = "devices/camera_results.html" if request.htmx else "devices/camera_map.html"
    return render(request, template, context)


def map_settings() -> dict[str, Any]:
    """What partials/map.html needs of the deployment."""
    latitude, longitude = settings.VANTAGE_MAP["centre"]
    return {
        "map_cameras_url": reverse("devices:map-data"),
        "map_basemap_url": settings.VANTAGE_MAP["basemap"],
        "map_tiles_url": settings.VANTAGE_MAP["tiles"],
        "map_centre": f"{latitude},{longitude}",
        "map_zoom": settings.VANTAGE_MAP["zoom"],
        "map_link": "/devices/cameras/{id}/",
        "map_live_link": "/events/{id}/",
    }


@login_required
@require_GET
def map_data(request: HttpRequest) -> JsonResponse:
    """Cameras or clusters of `bbox=west,south,east,north`, narrowed by the page's own filters."""
    try:
        west, south, east, north = (float(part) for part in request.GET.get("bbox", "").split(","))
    except ValueError:
        return JsonResponse({"detail": _("Give bbox=west,south,east,north in degrees.")}, status=400)
    rows = Camera.objects.visible_to(request.principal)
    filtered = CameraFilter(request.GET, queryset=rows)
    return JsonResponse(selectors.map_view(request.principal, (west, south, east, north), filtered.qs))


def _camera(request: HttpRequest, pk: UUID) -> Camera:
    rows = Camera.objects.visible_to(request.principal).select_related(
        "managing_organisation", "region", "place_type"
    )
    return get_object_or_404(rows, pk=pk)


@login_required
def camera_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """一机一档: live picture, facts, state, rights; tasks and events come as fragments of their rooms."""
    camera = _camera(request, pk)
    rights = selectors.rights_on(request.principal, camera)
    stream = Stream.objects.filter(camera=camera).order_by("role").first()
    right = live_right(request.principal, camera.pk)
    watches = right is not None
    reason = purpose_link = ""
    if stream is None:
        reason = _("This camera has no stream.")
    elif right is not None and not right.is_raw:
        reason = right.reason
    elif right is not None and right.masks and not purpose_in(request.session):
        reason = _(
            "You may watch this camera unmasked. State a purpose first; masked pictures are shown meanwhile."
        )
        purpose_link = purpose_url(request.get_full_path())
    elif stream.codec:
        reason = live_reason(stream.codec)
    return render(
        request,
        "devices/camera_detail.html",
        {
            "camera": camera,
            "identities": camera.identities.all(),
            "rights": rights,
            "stream": stream,
            "findings": selectors.latest_findings(camera),
            "grants": camera.access.select_related("grant").filter(valid_to__gt=clock.now())
            if rights["managed"]
            else [],
            "can_edit": rights["managed"] and request.principal.can("cameras.edit"),
            "player_url": f"/ws/devices/{camera.pk}/live" if watches and not reason else "",
            "player_snapshot_url": reverse("devices:camera-snapshot", args=[camera.pk]) if watches else "",
            "player_reason": reason if watches else _("You may not watch this camera. Apply for it first."),
            "player_watermark": watermark_text(request),
            "player_title": camera.name,
            "purpose_url": purpose_link,
        },
    )


def watermark_text(request: HttpRequest) -> str:
    """Name, organisation, account tail: moves faintly over players and pictures."""
    principal = request.principal
    return f"{principal.name} · {principal.organisation_name} · {str(principal.id)[-4:]}"


@login_required
def camera_add(request: HttpRequest) -> HttpResponse:
    """Add a camera; the stream is tried first on the same page."""
    request.principal.must("cameras.edit")
    form = NewCameraForm(request.POST or None, principal=request.principal)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        organisation: Organisation = values.pop("organisation")
        found = None
        trial = services.try_stream(
            by=request.principal, url=values["stream_url"], transport=values["transport"]
        )
        if trial.probe is not None:
            found = trial.probe
        try:
            camera = services.add_camera(
                by=request.principal, organisation=organisation, found=found, **values
            )
        except Refusal as refusal:
            form.add_error(next((f for f in refusal.fields if f in form.fields), None), str(refusal.message))
        else:
            if found is not None:
                _keep_first_picture(camera, found)
            return HttpResponseRedirect(reverse("devices:camera-detail", args=[camera.pk]))
    context = {"form": form, "title": _("Add a camera"), "cancel_url": reverse("devices:camera-list")}
    return render(request, "devices/camera_form.html", {**context, **map_settings()})


def _keep_first_picture(camera: Camera, found: Any) -> None:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "first.jpg"
        cv2.imwrite(str(path), found.first_picture.image)
        services.set_cover(camera.pk, path, clock.now())
    services.report_camera_state(camera.pk, "online", "", clock.now())


@login_required
def camera_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Change the card."""
    camera = _camera(request, pk)
    if not selectors.rights_on(request.principal, camera)["managed"]:
        raise Http404
    request.principal.must("cameras.edit")
    form = CameraForm(request.POST or None, instance=camera)
    if request.method == "POST" and form.is_valid():
        fresh = _camera(request, pk)
        services.change_camera(by=request.principal, camera=fresh, **form.cleaned_data)
        return HttpResponseRedirect(reverse("devices:camera-detail", args=[camera.pk]))
    context = {"form": form, "title": camera.name, "cancel_url": reverse("devices:camera-detail", args=[pk])}
    return render(request, "generic/form.html", context)


@login_required
def stream_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Another address for the main stream, tried first on the same page."""
    camera = _camera(request, pk)
    if not selectors.rights_on(request.principal, camera)["managed"]:
        raise Http404
    request.principal.must("cameras.edit")
    form = StreamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        url, transport = form.cleaned_data["stream_url"], form.cleaned_data["transport"]
        trial = services.try_stream(by=request.principal, url=url, transport=transport)
        try:
            services.save_stream(
                by=request.principal, camera=camera, url=url, transport=transport, found=trial.probe
            )
        except Refusal as refusal:
            form.add_error("stream_url", str(refusal.message))
        else:
            return HttpResponseRedirect(reverse("devices:camera-detail", args=[camera.pk]))
    context = {"form": form, "title": camera.name, "cancel_url": reverse("devices:camera-detail", args=[pk])}
    return render(request, "devices/camera_form.html", context)


@login_required
@require_POST
def stream_test(request: HttpRequest) -> HttpResponse:
    """Try an address and show picture and facts, or the cause in words."""
    trial = services.try_stream(
        by=request.principal,
        url=request.POST.get("stream_url", ""),
        transport=request.POST.get("transport") or "auto",
    )
    picture = reason = ""
    if trial.probe is not None:
        reason = live_reason(trial.probe.codec)
        done, data = cv2.imencode(".jpg", trial.probe.first_picture.image, [cv2.IMWRITE_JPEG_QUALITY, 80])
        picture = f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}" if done else ""
    return render(
        request,
        "devices/stream_result.html",
        {"trial": trial, "found": trial.probe, "picture": picture, "reason": reason},
    )


def camera_thumb(principal: Any, camera: Camera) -> str:
    """A signed link to the camera's cover as a thumbnail."""
    return media_url("cover", camera.pk, principal, variant="thumb")
