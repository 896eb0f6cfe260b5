"""Making and ending grants, binding roles."""

from apps.accounts.services.grants import give_grant, revoke_grant
from apps.accounts.services.roles import bind_role

__all__ = ["bind_role", "give_grant", "revoke_grant"]
