"""State machines: one table of legal moves per model; a move locks the row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from django.db import models
from django.utils.translation import gettext as _

from apps.core.errors import Conflict

M = TypeVar("M", bound=models.Model)
MoveTable = Mapping[str, frozenset[str]]


def locked(instance: M) -> M:
    """The same row, read again under a row lock; call inside a transaction."""
    manager = type(instance)._default_manager
    return manager.select_for_update(of=("self",)).get(pk=instance.pk)


def move(instance: M, to: str, table: MoveTable, *, field: str = "state", **changes: object) -> M:
    """Lock `instance`, check `table[from]` allows `to`, write the state and `changes`; returns the fresh row.

    Raises Conflict (code `illegal_move`) when the row is no longer in a state that allows the move.
    """
    row = locked(instance)
    current = getattr(row, field)
    if to not in table.get(current, frozenset()):
        raise Conflict(
            "illegal_move",
            _("This cannot go from “%(current)s” to “%(to)s”. Reload the page to see its present state.")
            % {"current": current, "to": to},
        )
    setattr(row, field, to)
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=[field, *changes])
    return row
