"""Telling the people who watch: a row that gives a right was made or changed past the product."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from apps.accounts.choices import RoleCode
from apps.accounts.services.notify import notify_roles
from apps.core import audit

TELL_EVERY = 3600


def tell_broken_seal(row: Any) -> None:
    """An audit record, and a notification to security and audit administrators; once an hour and row."""
    try:
        if not cache.add(f"seal-broken:{row._meta.label_lower}:{row.pk}", 1, TELL_EVERY):
            return
    except Exception:  # noqa: S110 - no cache: better told twice than not at all
        pass
    audit.note(None, "seal.broken", row, outcome="refused")
    with translation.override("zh-hans"):
        notify_roles(
            [RoleCode.SECURITY_ADMIN, RoleCode.AUDIT_ADMIN],
            kind="seal.broken",
            title=_("A right was changed past the platform"),
            body=_(
                "%(what)s %(row)s fails its keyed hash and gives nothing. Look for who wrote to the database."
            )
            % {"what": row._meta.verbose_name, "row": row.pk},
            link=reverse("audit-list"),
        )
