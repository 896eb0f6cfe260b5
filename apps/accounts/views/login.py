"""Pages about one's own login: second factor, recovery codes, password, open sessions."""

from __future__ import annotations

import time
from typing import Any

import segno
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from apps.accounts import services
from apps.accounts.forms import CodeForm, EnrolForm, OwnPasswordForm, PasswordForm
from apps.accounts.permissions import principal_of_user
from apps.accounts.services.sessions import FACTOR
from apps.core.errors import Refusal


def _trusted(request: HttpRequest) -> None:
    """The second factor was given in this session: more rights, so another key (session and CSRF)."""
    request.session.cycle_key()
    request.session[FACTOR] = int(time.time())
    rotate_token(request)


def _onward(request: HttpRequest) -> HttpResponse:
    """To the page that was asked for before the step."""
    target = request.session.pop("next", "/")
    inside = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return redirect(target if inside else "home")


@never_cache
@login_required
@sensitive_post_parameters("code")
def second_factor(request: HttpRequest) -> HttpResponse:
    """The second question at the door."""
    if not request.user.has_second_factor or FACTOR in request.session:
        return _onward(request)
    form = CodeForm(request.POST or None)
    if form.is_valid():
        try:
            services.verify_second_factor(user=request.user, code=form.cleaned_data["code"])
        except Refusal as refusal:
            form.add_error("code", str(refusal.message))
        else:
            _trusted(request)
            return _onward(request)
    return render(request, "registration/second_factor.html", {"form": form})


@never_cache
@login_required
@sensitive_post_parameters("code", "password")
def second_factor_enrol(request: HttpRequest) -> HttpResponse:
    """Setting up: the QR code, and a first code as proof that it was read."""
    if request.user.has_second_factor:
        return redirect("profile")
    secret = services.begin_enrolment(user=request.user)
    form = EnrolForm(request.POST or None, request=request)
    if form.is_valid():
        try:
            codes = services.confirm_enrolment(user=request.user, code=form.cleaned_data["code"])
        except Refusal as refusal:
            form.add_error("code", str(refusal.message))
        else:
            _trusted(request)
            return _codes_page(request, codes)
    qr = segno.make(services.enrolment_address(request.user, secret), error="m")
    context = {
        "title": _("Set up a second factor"),
        "form": form,
        "secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        "qr_size": len(qr.matrix) + 8,
        "qr_path": "".join(
            f"M{x + 4} {y + 4}h1v1h-1z"
            for y, row in enumerate(qr.matrix)
            for x, dark in enumerate(row)
            if dark
        ),
    }
    return render(request, "registration/second_factor_enrol.html", context)


def _codes_page(request: HttpRequest, codes: list[str]) -> HttpResponse:
    return render(request, "registration/recovery_codes.html", {"title": _("Recovery codes"), "codes": codes})


def _asked_again(request: HttpRequest, title: str, label: str) -> HttpResponse | None:
    """None once the present password was given; else the page that asks for it."""
    form = PasswordForm(request.POST or None, request=request)
    if form.is_valid():
        return None
    context = {"title": title, "form": form, "submit_label": label, "cancel_url": "/profile/"}
    return render(request, "generic/form.html", context)


@never_cache
@login_required
@sensitive_post_parameters("password")
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Fresh recovery codes; the old ones are void."""
    if not request.user.has_second_factor:
        return redirect("profile")
    asked = _asked_again(request, _("New recovery codes"), _("Make new codes"))
    return asked or _codes_page(request, services.new_recovery_codes(user=request.user))


@never_cache
@login_required
@sensitive_post_parameters("password")
def second_factor_remove(request: HttpRequest) -> HttpResponse:
    """Remove the second factor; whoever must have one is then led to set up another."""
    if not request.user.has_second_factor:
        return redirect("profile")
    asked = _asked_again(request, _("Remove the second factor"), _("Remove it"))
    if asked is not None:
        return asked
    services.remove_second_factor(by=request.principal, user=request.user)
    request.session.pop(FACTOR, None)
    return redirect("profile")


@login_required
@require_POST
def session_end(request: HttpRequest) -> HttpResponse:
    """End one of one's own other sessions (`mark`), or all of them without a mark."""
    mark = request.POST.get("mark", "")
    services.end_sessions(
        by=request.principal,
        user=request.user,
        marks=[mark] if mark else None,
        but=str(request.session.session_key),
    )
    return redirect("profile")


class PasswordChange(auth.PasswordChangeView):
    """Change one's own password: every other session ends, and the duty to change it is done."""

    form_class = OwnPasswordForm

    def get_form_kwargs(self) -> dict[str, Any]:
        """With the request, which the lock of the account needs."""
        return super().get_form_kwargs() | {"request": self.request}

    def form_valid(self, form: Any) -> HttpResponse:
        """Save, then what follows."""
        answer = super().form_valid(form)
        user, session = self.request.user, self.request.session
        services.password_changed(
            by=principal_of_user(user), user=user, keep_session=str(session.session_key)
        )
        return answer
