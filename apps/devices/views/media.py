"""The media door: a camera's latest picture, and whatever a signed link names."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from apps.core import audit
from apps.devices.services import looking
from apps.devices.services.live import LiveRight, live_right, may_see_unmasked, picture_now
from apps.devices.services.media import cover_item, open_media
from apps.devices.services.purpose import is_old, purpose_in
from apps.devices.services.rendition import Rendered, placeholder, rendered
from apps.devices.views.handover import handed_over
from apps.devices.views.purpose import purpose_url


@login_required
@never_cache
def camera_snapshot(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The camera's latest picture through the rendition door; its age is in the Last-Modified header.

    204 while there is none yet: 404 is for who may not watch, and makes the player stop asking.
    """
    right = live_right(request.principal, pk)
    if right is None:
        raise Http404
    item = cover_item(request.principal, pk)
    if right.masks and request.GET.get("variant", "frame") == "frame":
        taken = picture_now(request.principal, right)
        if taken is not None:
            return _live_picture(request.principal, right, *taken)
    if item is None:
        return HttpResponse(status=204)
    variant = request.GET.get("variant", "frame")
    return _picture(request, request.principal, item, variant, 0, session=looking.WINDOW)


def _live_picture(principal: Any, right: LiveRight, picture: Rendered, taken: datetime) -> HttpResponse:
    camera = right.camera
    audit.note(
        principal,
        "picture.view",
        camera,
        owner_id=camera.managing_organisation_id,
        session=looking.WINDOW,
        variant="live",
        note=picture.note,
    )
    return _jpeg(picture, taken)


@never_cache
def media(request: HttpRequest, token: str) -> HttpResponse:
    """The media door: a signed link, whose right is checked at this use, through the rendition.

    `?download=1` saves the picture; that asks for a purpose like looking at an old one.
    """
    opened = open_media(token, request.principal)
    if opened is None:
        raise Http404
    item, variant, index, principal = opened
    return _picture(request, principal, item, variant, index)


def _picture(
    request: HttpRequest, principal: Any, item: Any, variant: str, index: int, *, session: int = 0
) -> HttpResponse:
    """session: seconds within which looks again are one note (a player that polls); a download never is."""
    is_download = bool(request.GET.get("download"))
    given = purpose_in(request.session) if principal.kind == "user" else {}
    if principal.kind == "user" and variant != "thumb" and not given:
        if item.implied_purpose and not is_download:
            given = {"purpose": item.implied_purpose}
        elif is_download:
            return HttpResponseRedirect(purpose_url(request.get_full_path()))
        elif is_old(item.time):
            words = _("State a purpose to see stored pictures of this age.")
            return _jpeg(placeholder(words, "purpose-needed", variant), None)
    if given and not item.may_see_unmasked and may_see_unmasked(principal, item.camera_id):
        item = replace(item, may_see_unmasked=True)
    picture = rendered(item, principal=principal, variant=variant, index=index)
    if picture is None:
        raise Http404
    if picture.is_placeholder and principal.kind != "user":
        # A program would take the words for the picture.
        return HttpResponse(status=503, headers={"Retry-After": "30"})
    if (variant != "thumb" or is_download) and not picture.is_placeholder:
        audit.note(
            principal,
            "picture.download" if is_download else "picture.view",
            owner_id=item.owner_id,
            name=str(item.camera_id),
            session=0 if is_download else session,
            variant=variant,
            path=item.path,
            unmasked=item.may_see_unmasked,
            **given,
        )
    response = _jpeg(picture, item.time)
    if is_download:
        response["Content-Disposition"] = "attachment; filename=picture.jpg"
    return response


def _jpeg(picture: Rendered, taken: datetime | None) -> HttpResponse:
    response = HttpResponse(picture.jpeg, content_type="image/jpeg")
    response["Content-Disposition"] = "inline; filename=picture.jpg"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Vantage-Rendition"] = picture.note
    if taken is not None:
        response["Last-Modified"] = http_date(taken.timestamp())
    return handed_over(response, taken)
