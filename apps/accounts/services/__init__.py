"""Grants, roles, sessions, second factors, passwords."""

from apps.accounts.services.export_requisitions import decide_export, request_export, withdraw_export
from apps.accounts.services.factors import (
    begin_enrolment,
    confirm_enrolment,
    enrolment_address,
    new_recovery_codes,
    remove_second_factor,
    verify_second_factor,
)
from apps.accounts.services.grants import give_grant, revoke_grant
from apps.accounts.services.passwords import password_changed
from apps.accounts.services.roles import bind_role, unbind_role
from apps.accounts.services.sessions import end_sessions

__all__ = [
    "begin_enrolment",
    "bind_role",
    "confirm_enrolment",
    "decide_export",
    "end_sessions",
    "enrolment_address",
    "give_grant",
    "new_recovery_codes",
    "password_changed",
    "remove_second_factor",
    "request_export",
    "revoke_grant",
    "unbind_role",
    "verify_second_factor",
    "withdraw_export",
]
