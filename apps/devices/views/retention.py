"""How long things are kept, what went, and locks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from apps.accounts.models import Organisation
from apps.core import retention
from apps.core.errors import Refusal
from apps.core.pages import Column, KeysetPage, VisibleListView
from apps.devices.forms import LockForm, RetentionForm
from apps.devices.models import Camera, DeletionRecord, MediaLock
from apps.devices.querysets import managed_q
from apps.devices.services.retention import lock_media, preview, release_lock, rules_for, set_rule
from apps.devices.services.retention.rules import KEPT


def kind_words(kind: str) -> str:
    """The kind's name; its code when the kind is gone."""
    return str(retention.kinds.get(kind).label if kind in retention.kinds else KEPT.get(kind, kind))


@login_required
def retention_list(request: HttpRequest) -> HttpResponse:
    """Every kind with its age for this organisation."""
    request.principal.must("retention.manage")
    organisation = Organisation.objects.get(pk=request.principal.organisation_id)
    context = {
        "title": _("Keeping times"),
        "organisation": organisation,
        "rules": rules_for(organisation),
        "is_top": organisation.depth == 1,
    }
    return render(request, "devices/retention.html", context)


@login_required
def retention_edit(request: HttpRequest) -> HttpResponse:
    """Change one age (`?kind=`): first what the next run would delete, then saving."""
    principal = request.principal
    principal.must("retention.manage")
    kind = request.GET.get("kind", "")
    organisation = Organisation.objects.get(pk=principal.organisation_id)
    rule = next((one for one in rules_for(organisation) if one.kind == kind and not one.is_fixed), None)
    if rule is None:
        raise Http404
    form = RetentionForm(request.POST or None, initial={"days": rule.days})
    found = None
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            if request.POST.get("confirmed"):
                set_rule(by=principal, kind=kind, days=values["days"], reason=values["reason"])
                messages.success(request, _("Saved. The next run of the job obeys it."))
                return HttpResponseRedirect(reverse("devices:retention-list"))
            found = preview(by=principal, kind=kind, days=values["days"])
        except Refusal as refusal:
            form.add_error("days" if "days" in refusal.fields else None, str(refusal.message))
    context = {
        "form": form,
        "rule": rule,
        "found": found,
        "title": _("Keeping time: %(kind)s") % {"kind": rule.label},
        "cancel_url": reverse("devices:retention-list"),
        "submit_label": _("Save and obey") if found is not None else _("Show what would be deleted"),
    }
    return render(request, "devices/retention_form.html", context)


class DeletionListView(VisibleListView):
    """One row per batch that went by age."""

    model = DeletionRecord
    title = gettext_lazy("Deletion records")
    row_template = "devices/deletion_row.html"
    columns = (
        Column("time", gettext_lazy("Deleted")),
        Column("kind", gettext_lazy("Kind")),
        Column("organisation", gettext_lazy("Organisation")),
        Column("count", gettext_lazy("Count"), numeric=True),
        Column("size", gettext_lazy("Size"), numeric=True),
        Column("span", gettext_lazy("Oldest and newest")),
        Column("rule", gettext_lazy("Rule")),
        Column("digest", gettext_lazy("Digest")),
    )

    def get(self, request: HttpRequest) -> HttpResponse:
        """For those who manage ages and for audit administrators."""
        principal = request.principal
        if not (principal.can("retention.manage") or principal.can("audit.view")):
            raise Http404
        return super().get(request)

    def context(self, page: KeysetPage) -> dict[str, Any]:
        """The words a row needs."""
        for row in page.rows:
            row.kind_words = kind_words(row.kind)
        return {
            "intro": _(
                "Each batch says what went, how much, how old, by which rule, with a digest of the names."
            ),
            "empty_icon": "trash",
            "empty_title": _("Nothing was deleted by age yet"),
            "empty_text": _("A job looks every hour for what is older than its keeping time."),
        }


deletion_list = DeletionListView.as_view()


class LockListView(VisibleListView):
    """Locks against deletion by age."""

    model = MediaLock
    title = gettext_lazy("Locks")
    row_template = "devices/lock_row.html"
    columns = (
        Column("camera", gettext_lazy("Camera")),
        Column("frames", gettext_lazy("Frames")),
        Column("reason", gettext_lazy("Reason")),
        Column("owner", gettext_lazy("Locked by")),
        Column("until", gettext_lazy("Locked until")),
        Column("release", ""),
    )

    def get(self, request: HttpRequest) -> HttpResponse:
        """For those who manage ages."""
        request.principal.must("retention.manage")
        return super().get(request)

    def rows(self) -> QuerySet[MediaLock]:
        """With their cameras."""
        return super().rows().select_related("camera")

    def context(self, page: KeysetPage) -> dict[str, Any]:
        """Adding one, and what a lock is."""
        return {
            "intro": _(
                "What is locked stays although it is old enough to go. A lock has a reason, an owner, an end."
            ),
            **self.adding("retention.manage", "devices:lock-add", _("Lock")),
            "hide_columns": True,
            "empty_icon": "lock-open",
            "empty_title": _("Nothing is locked"),
            "empty_text": _("Lock what a case needs before its keeping time is over."),
        }


lock_list = LockListView.as_view()


@login_required
def lock_add(request: HttpRequest) -> HttpResponse:
    """Lock a time of a camera that the organisation manages."""
    request.principal.must("retention.manage")
    form = LockForm(request.POST or None, initial={"camera": request.GET.get("camera", "")})
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        camera = Camera.objects.filter(managed_q(request.principal), pk=values.pop("camera")).first()
        if camera is None:
            form.add_error("camera", _("There is no such camera among those your organisation manages."))
        else:
            try:
                lock_media(by=request.principal, camera=camera, **values)
            except Refusal as refusal:
                field = next(iter(refusal.fields), None)
                form.add_error(field, str(refusal.message))
            else:
                return HttpResponseRedirect(reverse("devices:lock-list"))
    context = {"form": form, "title": _("Lock"), "cancel_url": reverse("devices:lock-list")}
    return render(request, "generic/form.html", context)


@login_required
@require_POST
def lock_release(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take a lock off."""
    request.principal.must("retention.manage")
    row = get_object_or_404(MediaLock.objects.visible_to(request.principal), pk=pk)
    release_lock(by=request.principal, lock=row)
    return HttpResponseRedirect(reverse("devices:lock-list"))
