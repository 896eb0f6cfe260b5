"""Showing the demo's accounts, as the seed wrote them to `DATA/demo-accounts.json` (0600)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def read_accounts(path: Path) -> dict[str, Any]:
    """The file's content; empty where it is missing or unreadable."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {"accounts": found}


def account_lines(content: dict[str, Any]) -> Iterator[str]:
    """Lines for the console: user, one-time password, role; the API key last."""
    accounts = content.get("accounts") or content.get("users") or []
    for account in accounts:
        name = str(account.get("username") or account.get("name") or "")
        role = str(account.get("role") or account.get("roles") or account.get("title") or "")
        yield f"  {name:<16} {account.get('password', '')!s:<20} {role}".rstrip()
    key = content.get("api_key")
    if isinstance(key, dict):
        key = key.get("key") or key.get("token")
    if key:
        yield f"  API key          {key}"
