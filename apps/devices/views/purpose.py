"""The page that asks why somebody looks."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from apps.core.errors import Refusal
from apps.devices.forms import PurposeForm
from apps.devices.services.purpose import give_purpose, purpose_in


def purpose_url(back: str) -> str:
    """The page, with where to go afterwards."""
    return f"{reverse('devices:purpose')}?{urlencode({'next': back})}"


def _back(request: HttpRequest) -> str:
    back = request.POST.get("next") or request.GET.get("next") or "/"
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return back if safe and back.startswith("/") else "/"


@login_required
def purpose(request: HttpRequest) -> HttpResponse:
    """Ask once per session; the answer is recorded and stands beside every look that needed it."""
    back = _back(request)
    form = PurposeForm(request.POST or None, initial={**purpose_in(request.session), "next": back})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            give_purpose(
                by=request.principal,
                session=request.session,
                purpose=given["purpose"],
                case=given["case"],
                words=given["words"],
            )
        except Refusal as refusal:
            for name, words in refusal.fields.items():
                form.add_error(name, str(words))
        else:
            return HttpResponseRedirect(back)
    context = {
        "form": form,
        "title": _("State a purpose"),
        "cancel_url": "/",
        "submit_label": _("Go on"),
        "intro": _(
            "Stored pictures older than %(hours)s hours, downloads and unmasked views need a purpose. It is asked "
            "once per session, recorded, and shown to the organisation that manages the camera."
        )
        % {"hours": f"{settings.VANTAGE_PURPOSE_HOURS:g}"},
    }
    return render(request, "devices/purpose.html", context)
