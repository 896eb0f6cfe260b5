"""Makes the demo city in the database, through the rooms' own services; running it again changes nothing."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from apps.accounts.models import Organisation, User
from apps.accounts.permissions import SYSTEM
from apps.accounts.services import bind_role
from apps.openapi.choices import Scope
from apps.openapi.models import App
from apps.openapi.services.api_keys import create_api_key
from apps.openapi.services.apps import register_app
from apps.openapi.services.catalogue import sync_services
from apps.strategies.services.ensure_default import ensure_default_strategy
from demo.catalogue import EVENT_TYPES, ORGANISATIONS, USERS
from demo.city.algorithms import make_algorithms
from demo.city.cameras import make_cameras, make_grants
from demo.city.history import make_history
from demo.city.real import make_real
from demo.city.tasks import make_tasks
from demo.clips import NAMES, ensure_clips

Say = Callable[[str], None]
ACCOUNTS = "demo-accounts.json"


def make_city(*, media: Path | None, say: Say) -> None:
    """Everything of the demo: organisations, accounts, algorithms, cameras, tasks, a little past."""
    clips = Path(os.environ.get("VANTAGE_CLIPS") or settings.VANTAGE_DATA / "cache" / "clips")
    ensure_clips(clips, NAMES, lambda name, done, total: say(f"clips: {done}/{total} {name}"))
    if Organisation.objects.filter(code=ORGANISATIONS[0].code).exists():
        say("demo city: already there")
        if media is not None:
            make_real(media, say)
        return
    _make(clips, media, say)


@transaction.atomic
def _make(clips: Path, media: Path | None, say: Say) -> None:
    """All or nothing: a start that was broken off leaves no half city behind."""
    organisations = _organisations()
    _event_types()
    accounts = _users(organisations)
    sync_services()
    ensure_default_strategy(organisations["DEMO"])
    key = _api_key(organisations["CG"])
    say(f"demo city: {len(organisations)} organisations, {len(accounts)} accounts")
    make_algorithms(organisations["DEMO"], say)
    make_cameras(organisations, say)
    make_grants(organisations)
    make_tasks(say)
    make_history(clips, say)
    if media is not None:
        make_real(media, say)
    _write_accounts(accounts, key)


def _organisations() -> dict[str, Organisation]:
    made: dict[str, Organisation] = {}
    for entry in ORGANISATIONS:
        values = {
            "code": entry.code,
            "name": entry.name_zh,
            "kind": entry.kind,
            "is_data_authority": entry.is_data_authority,
        }
        parent = made.get(entry.parent or "")
        if parent is None:
            made[entry.code] = Organisation.add_root(**values)
        else:
            made[entry.code] = Organisation.objects.get(pk=parent.pk).add_child(**values)
    return made


def _event_types() -> None:
    from apps.algorithms.models import EventType

    made: dict[str, EventType] = {}
    for entry in EVENT_TYPES:
        policy = {"not_required": "direct"}.get(entry.review, entry.review)
        made[entry.code] = EventType.objects.create(
            code=entry.code,
            parent=made.get(entry.parent or ""),
            name_zh=entry.name_zh,
            name_en=entry.name_en,
            level=entry.level,
            review_policy=policy,
            validity_minutes=entry.validity_minutes,
            national_code=entry.national_code,
        )


def _users(organisations: dict[str, Organisation]) -> list[dict[str, Any]]:
    accounts = []
    for entry in USERS:
        password = secrets.token_urlsafe(9)
        user = User.objects.create_user(
            entry.username,
            password,
            organisation=organisations[entry.organisation],
            display_name=entry.name_zh,
        )
        bind_role(by=SYSTEM, user=user, role=entry.role)
        accounts.append(
            {
                "username": entry.username,
                "password": password,
                "role": entry.role,
                "organisation": organisations[entry.organisation].name,
            }
        )
    return accounts


def _api_key(organisation: Organisation) -> str:
    app: App = register_app(
        by=SYSTEM, organisation=organisation, name="演示应用", description="Demo app of the demo city"
    )
    return create_api_key(by=SYSTEM, app=app, scopes=list(Scope.values)).text


def _write_accounts(accounts: list[dict[str, Any]], key: str) -> None:
    path = Path(settings.VANTAGE_DATA) / ACCOUNTS
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        json.dump({"demo": True, "accounts": accounts, "api_key": key}, handle, ensure_ascii=False, indent=1)
