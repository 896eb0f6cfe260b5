"""Wrong passwords: five on one account lock the account, five accounts tried from one address lock the address."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Sum
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext as _

from apps.accounts.choices import RoleCode
from apps.accounts.models import User
from apps.accounts.permissions import Principal
from apps.accounts.services.notify import notify_roles
from apps.core import audit, clock

logger = logging.getLogger(__name__)
WINDOW = timedelta(hours=settings.AXES_COOLOFF_TIME)


class LoginGuard(AxesDatabaseHandler):
    """The database handler of axes with two counts; AXES_FAILURE_LIMIT bounds both.

    Names that do not exist are counted and locked like those that do. A right password clears only its own
    account's failures, so nobody makes an address clean again by logging in with an account of their own.
    """

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Wrong passwords of the account, or accounts tried in vain from the address, whichever are more."""
        name = get_client_username(request, credentials)
        return max(failures_of_account(name) if name else 0, len(accounts_tried_from(_address(request))))

    def reset_user_attempts(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Forget the account's failures."""
        return _forget(get_client_username(request, credentials))


def _address(request: HttpRequest) -> str:
    return str(getattr(request, "axes_ip_address", None) or "")


def failures_of_account(username: str) -> int:
    """Wrong passwords of the last quarter of an hour, from anywhere."""
    rows = AccessAttempt.objects.filter(username=username, attempt_time__gte=clock.now() - WINDOW)
    return int(rows.aggregate(total=Sum("failures_since_start"))["total"] or 0)


def accounts_tried_from(address: str) -> list[str]:
    """Accounts that this address tried in vain in the last quarter of an hour."""
    if not address:
        return []
    rows = AccessAttempt.objects.filter(ip_address=address, attempt_time__gte=clock.now() - WINDOW)
    return sorted(set(rows.exclude(username=None).values_list("username", flat=True)))


def note_lockout(*, username: str, address: str) -> None:
    """A lock is in the trail; one address that tried many accounts also reaches the security administrators."""
    audit.record(None, "login.locked", outcome="refused", name=username[:150])
    tried = accounts_tried_from(address)
    if len(tried) < settings.AXES_FAILURE_LIMIT:
        return
    if not cache.add(f"login-spraying:{address}", 1, WINDOW.total_seconds()):
        return
    logger.error("password spraying from %s against %d accounts", address, len(tried))
    audit.record(None, "login.spraying", outcome="refused", name=address, accounts=len(tried))
    with translation.override("zh-hans"):  # the language of the request is the attacker's choice
        notify_roles(
            [RoleCode.SECURITY_ADMIN],
            kind="login.spraying",
            title=_("Many accounts tried from one address"),
            body=_(
                "%(count)d accounts were tried from %(address)s. The address is locked for a quarter of an hour."
            )
            % {"count": len(tried), "address": address},
        )


@transaction.atomic
def unlock_account(*, by: Principal, user: User) -> None:
    """Forget the wrong passwords of an account; the security administrator does."""
    by.must("roles.grant")
    if _forget(user.username):
        audit.record(by, "login.unlock", user, owner_id=user.organisation_id)


def _forget(username: str | None) -> int:
    gone, _rows = AccessAttempt.objects.filter(username=username).delete()
    return int(gone)
