"""`create_api_key --app NAME --organisation CODE --scopes a,b [--expires ISO] [--json]`: a key for a script."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.dateparse import parse_datetime

from apps.accounts.models import Organisation
from apps.accounts.permissions import SYSTEM
from apps.core.errors import Refusal
from apps.openapi.choices import Scope
from apps.openapi.models import App
from apps.openapi.services import NewKey, create_api_key, register_app


class Command(BaseCommand):
    """Makes the App when it does not exist yet, then a new key; the key is printed once and stored nowhere."""

    help = "Create an API key for an app of an organisation; the app is registered when it is new."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--app", required=True, help="name of the app")
        parser.add_argument("--organisation", required=True, help="code of its organisation")
        parser.add_argument(
            "--scopes", required=True, help=f"comma separated, or “all”: {', '.join(Scope.values)}"
        )
        parser.add_argument("--expires", help="end of the key, ISO 8601 with time zone")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        organisation = Organisation.objects.filter(code=options["organisation"]).first()
        if organisation is None:
            raise CommandError(f"There is no organisation with the code {options['organisation']!r}.")
        try:
            made = self._make(organisation, options)
        except Refusal as error:
            raise CommandError(str(error.message)) from None
        facts = {
            "app": made.key.app.name,
            "app_id": str(made.key.app_id),
            "organisation": organisation.code,
            "prefix": made.key.prefix,
            "scopes": made.key.scopes,
            "expires_at": made.key.expires_at.isoformat() if made.key.expires_at else None,
            "key": made.text,
        }
        if options["json"]:
            self.stdout.write(json.dumps(facts, ensure_ascii=False))
            return
        self.stdout.write(
            f"{made.text}\nShown once. App {made.key.app}, scopes {', '.join(made.key.scopes)}."
        )

    @transaction.atomic
    def _make(self, organisation: Organisation, options: dict[str, Any]) -> NewKey:
        expires_at = parse_datetime(options["expires"]) if options["expires"] else None
        if options["expires"] and (expires_at is None or expires_at.tzinfo is None):
            raise CommandError(
                "--expires is not ISO 8601 with a time zone, for example 2027-01-31T00:00:00+08:00."
            )
        scopes = Scope.values if options["scopes"] == "all" else options["scopes"].split(",")
        app = App.objects.filter(organisation=organisation, name=options["app"].strip()).first()
        app = app or register_app(by=SYSTEM, organisation=organisation, name=options["app"])
        return create_api_key(
            by=SYSTEM, app=app, scopes=[scope.strip() for scope in scopes], expires_at=expires_at
        )
