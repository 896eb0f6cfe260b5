"""The second factor: enrolling, checking a code, recovery codes, removing."""

from __future__ import annotations

import base64
import hmac
import secrets
from datetime import timedelta
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django_otp.oath import TOTP

from apps.accounts.models import RecoveryCode, SecondFactor, User
from apps.accounts.permissions import Principal, principal_of_user
from apps.core import audit, clock
from apps.core.crypto import provider
from apps.core.errors import Refusal

STEP = 30  # seconds a code lives
TOLERANCE = 1  # steps before and after, for clocks that are a little off
DIGITS = 6
LIMIT = 5  # wrong codes
PAUSE = timedelta(minutes=15)
RECOVERY_CODES = 10
ISSUER = "Vantage"


def secret_context(row: SecondFactor) -> str:
    """What the sealed secret of a row is bound to."""
    return f"accounts.second_factor:{row.user_id}"


@transaction.atomic
def begin_enrolment(*, user: User) -> str:
    """The secret (base32) of an enrolment that is not confirmed yet; the same until it is, for 15 minutes."""
    row = SecondFactor.objects.select_for_update().filter(user=user).first()
    if row is not None and row.confirmed_at is not None:
        raise Refusal("already_enrolled", _("A second factor is set up already. Remove it first."))
    if row is not None and clock.now() - row.updated_at < PAUSE:
        return _secret(row)
    secret = base64.b32encode(secrets.token_bytes(20)).decode()
    sealed = provider().encrypt(secret, context=secret_context(SecondFactor(user=user)))
    SecondFactor.objects.update_or_create(user=user, defaults={"secret": sealed, "last_step": -1})
    return secret


def enrolment_address(user: User, secret: str) -> str:
    """The `otpauth://` address that an authenticator reads from the QR code (Google's key URI format)."""
    label = quote(f"{ISSUER}:{user.username}@{settings.VANTAGE_SITE}")
    query = urlencode({"secret": secret, "issuer": ISSUER, "digits": DIGITS, "period": STEP})
    return f"otpauth://totp/{label}?{query}"


def confirm_enrolment(*, user: User, code: str) -> list[str]:
    """The first right code makes it count; answers fresh recovery codes, which are never shown again."""
    _check_code(user, code)
    with transaction.atomic():
        SecondFactor.objects.filter(user=user).update(confirmed_at=clock.now())
        _mark(user, True)
        audit.record(principal_of_user(user), "second_factor.enrol", user, owner_id=user.organisation_id)
        return new_recovery_codes(user=user)


@transaction.atomic
def new_recovery_codes(*, user: User) -> list[str]:
    """Ten codes of 80 random bits; older ones are void."""
    RecoveryCode.objects.filter(user=user).delete()
    codes = [base64.b32encode(secrets.token_bytes(10)).decode() for _number in range(RECOVERY_CODES)]
    key_id = provider().key_id
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, key_id=key_id, digest=_digest(user, code, key_id)) for code in codes
    )
    audit.record(principal_of_user(user), "second_factor.codes", user, owner_id=user.organisation_id)
    return ["-".join(code[i : i + 4] for i in range(0, 16, 4)) for code in codes]


def _digest(user: User, code: str, key_id: str) -> str:
    return provider().mac(f"{user.pk}:{code}".encode(), purpose="recovery-code", key_id=key_id).hex()


def verify_second_factor(*, user: User, code: str) -> None:
    """Accept a six-digit code or a recovery code once; raises Refusal (`code_wrong`, `code_blocked`)."""
    text = "".join(code.split()).replace("-", "").upper()
    if len(text) == DIGITS and text.isascii() and text.isdigit():
        _check_code(user, text)
        kind = "code"
    else:
        _take_recovery_code(user, text)
        kind = "recovery"
    audit.record(
        principal_of_user(user), "session.second_factor", user, owner_id=user.organisation_id, kind=kind
    )


def _check_code(user: User, code: str) -> None:
    """Right, of now (± one step), and newer than the last one taken."""
    with transaction.atomic():
        row = _open_row(user)
        totp = TOTP(base64.b32decode(_secret(row)), step=STEP, digits=DIGITS)
        totp.time = clock.now().timestamp()
        if code.isdecimal() and totp.verify(int(code), tolerance=TOLERANCE, min_t=row.last_step + 1):
            row.last_step, row.failures, row.blocked_until = totp.t(), 0, None
            row.save()
            return
        _count_failure(row)
    _refuse(user)


def _take_recovery_code(user: User, text: str) -> None:
    with transaction.atomic():
        row = _open_row(user)
        for one in RecoveryCode.objects.select_for_update().filter(user=user, used_at=None):
            if hmac.compare_digest(one.digest, _digest(user, text, one.key_id)):
                one.used_at = clock.now()
                one.save(update_fields=["used_at"])
                return
        _count_failure(row)
    _refuse(user)


def _secret(row: SecondFactor) -> str:
    return provider().decrypt(row.secret, context=secret_context(row))


def _open_row(user: User) -> SecondFactor:
    """The locked row; raises Refusal when there is none or too many wrong codes came."""
    row = SecondFactor.objects.select_for_update().filter(user=user).first()
    if row is None:
        raise Refusal("not_enrolled", _("No second factor is set up for this account."))
    if row.blocked_until is not None and row.blocked_until > clock.now():
        raise Refusal(
            "code_blocked", _("Too many wrong codes. Wait a quarter of an hour."), fields={"code": ""}
        )
    return row


def _count_failure(row: SecondFactor) -> None:
    row.failures += 1
    if row.failures >= LIMIT:
        row.failures, row.blocked_until = 0, clock.now() + PAUSE
    row.save()


def _refuse(user: User) -> None:
    """Outside the transaction that counted the failure, which must stay."""
    audit.record(
        principal_of_user(user),
        "session.second_factor",
        user,
        outcome="refused",
        owner_id=user.organisation_id,
    )
    raise Refusal(
        "code_wrong",
        _("This code is not right, or was used already. Wait for the next one."),
        fields={"code": ""},
    )


@transaction.atomic
def remove_second_factor(*, by: Principal, user: User) -> None:
    """Forget secret and recovery codes; whoever must have one is asked to set it up at the next request."""
    SecondFactor.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    _mark(user, False)
    audit.record(by, "second_factor.remove", user, owner_id=user.organisation_id)


def _mark(user: User, has: bool) -> None:
    user.has_second_factor = has
    user.save(update_fields=["has_second_factor"])
