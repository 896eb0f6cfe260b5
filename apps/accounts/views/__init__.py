"""Pages about one's own login, and about exports beyond the quota."""

from apps.accounts.views.exports import (
    requisition_add,
    requisition_decide,
    requisition_list,
    requisition_withdraw,
)
from apps.accounts.views.login import (
    PasswordChange,
    recovery_codes,
    second_factor,
    second_factor_enrol,
    second_factor_remove,
    session_end,
)

__all__ = [
    "PasswordChange",
    "recovery_codes",
    "requisition_add",
    "requisition_decide",
    "requisition_list",
    "requisition_withdraw",
    "second_factor",
    "second_factor_enrol",
    "second_factor_remove",
    "session_end",
]
