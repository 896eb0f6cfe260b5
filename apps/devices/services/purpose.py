"""Why somebody looks: asked once per session before old pictures, downloads and unmasked views."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from apps.accounts.permissions import Principal
from apps.core import audit, clock
from apps.core.errors import Refusal
from apps.devices.choices import Purpose

KEY = "purpose"
NEEDS_CASE = frozenset({Purpose.CASE, Purpose.COMPLAINT})


def purpose_in(session: Mapping[str, Any] | None) -> dict[str, str]:
    """`purpose`, `case` and `words` given in this session; empty where none was."""
    held = (session or {}).get(KEY) or {}
    return {name: str(held[name]) for name in ("purpose", "case", "words") if held.get(name)}


def is_old(moment: datetime | None) -> bool:
    """A stored picture of this moment asks for a purpose."""
    return moment is not None and clock.now() - moment > timedelta(hours=settings.VANTAGE_PURPOSE_HOURS)


def give_purpose(*, by: Principal, session: Any, purpose: str, case: str = "", words: str = "") -> None:
    """Keep the purpose for this session and record it. Codes: `unknown_purpose`, `case_needed`, `words_needed`."""
    if purpose not in Purpose.values:
        raise Refusal("unknown_purpose", _("Choose a purpose."), fields={"purpose": _("Choose a purpose.")})
    if purpose in NEEDS_CASE and not case.strip():
        said = _("This purpose needs a case number.")
        raise Refusal("case_needed", said, fields={"case": said})
    if purpose == Purpose.OTHER and not words.strip():
        said = _("Say in a few words why.")
        raise Refusal("words_needed", said, fields={"words": said})
    held = {"purpose": purpose, "case": case.strip()[:60], "words": words.strip()[:200]}
    session[KEY] = held
    audit.record(by, "purpose.give", owner_id=by.organisation_id, **held)
