"""`./vantage manage make_administrator NAME --role security_admin [--reset]`: the first accounts of a site.

Nobody is above the roles, so the first administrators are made on the machine itself. The password is printed once
and must be changed at the first login. `--reset` gives an administrator a new one and forgets the second factor.
"""

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from apps.accounts.choices import EXCLUSIVE_ROLES, OrganisationKind
from apps.accounts.models import Organisation, User
from apps.accounts.permissions import SYSTEM
from apps.accounts.services import bind_role, password_changed, remove_second_factor
from apps.core.errors import Refusal


class Command(BaseCommand):
    """Make a system, security or audit administrator."""

    help = "Make a system, security or audit administrator, or reset one (--reset)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The account's name, its role, its organisation's code."""
        parser.add_argument("username")
        parser.add_argument("--role", choices=sorted(EXCLUSIVE_ROLES))
        parser.add_argument("--organisation", default="", help="code; without it the first of the tree")
        parser.add_argument("--reset", action="store_true", help="new password, second factor forgotten")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the one-time password."""
        password = secrets.token_urlsafe(12)
        user = self._reset(options["username"]) if options["reset"] else self._make(options)
        user.set_password(password)
        user.save()
        password_changed(by=SYSTEM, user=user)
        self.stdout.write(f"{user.username}: {password}")

    def _make(self, options: dict[str, Any]) -> User:
        if not options["role"]:
            raise CommandError("Name the --role: " + ", ".join(sorted(EXCLUSIVE_ROLES)))
        if User.objects.filter(username=options["username"]).exists():
            raise CommandError("This account exists. --reset gives it a new password.")
        user: User = User.objects.create_user(
            options["username"], None, organisation=self._organisation(options["organisation"])
        )
        try:
            bind_role(by=SYSTEM, user=user, role=options["role"])
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        return user

    def _reset(self, username: str) -> User:
        user = User.objects.filter(username=username, role_bindings__role__in=EXCLUSIVE_ROLES).first()
        if user is None:
            raise CommandError("There is no administrator of this name.")
        remove_second_factor(by=SYSTEM, user=user)
        return user

    def _organisation(self, code: str) -> Organisation:
        if code:
            found = Organisation.objects.filter(code=code).first()
            if found is None:
                raise CommandError(f"There is no organisation {code}.")
            return found
        first = Organisation.objects.filter(depth=1).first()
        return first or Organisation.add_root(code="root", name="Platform", kind=OrganisationKind.BUREAU)
