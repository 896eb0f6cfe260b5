"""Registering and changing Apps."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import Organisation
from apps.accounts.permissions import Principal
from apps.core import audit
from apps.core.errors import Conflict, Refusal
from apps.openapi.models import App
from apps.openapi.permissions import must_manage


@transaction.atomic
def register_app(*, by: Principal, organisation: Organisation, name: str, description: str = "") -> App:
    """Register an App of `organisation` (the principal's own or one below). Names are unique in an organisation."""
    by.must("apps.manage")
    name = name.strip()
    if not name:
        raise Refusal("name_missing", _("Give the app a name."), fields={"name": _("Give the app a name.")})
    if by.kind != "system" and not organisation.path.startswith(by.organisation_path):
        raise Refusal("organisation_foreign", _("An app belongs to your own organisation or one below it."))
    if App.objects.filter(organisation=organisation, name=name).exists():
        words = _("An app of this name exists already.")
        raise Conflict("app_exists", words, fields={"name": words})
    app = App.objects.create(
        organisation=organisation, name=name, description=description, created_by=by.user
    )
    audit.record(by, "app.register", app, owner_id=organisation.pk)
    return app


@transaction.atomic
def change_app(
    *, by: Principal, app: App, description: str | None = None, is_active: bool | None = None
) -> App:
    """Change the description, or put the App out of use: its keys stop working at once and nothing is delivered."""
    must_manage(by, app)
    row = App.objects.select_for_update().get(pk=app.pk)
    if description is not None:
        row.description = description
    if is_active is not None:
        row.is_active = is_active
    row.save(update_fields=["description", "is_active", "updated_at"])
    audit.record(by, "app.change", row, owner_id=row.organisation_id, is_active=row.is_active)
    return row
