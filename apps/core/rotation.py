"""Changing keys while everything runs: who holds ciphertexts, how many are old, and making them new in steps."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Cast, Left

from apps.core.crypto import provider
from apps.core.models.sealed import EncryptedTextField, SealedRow, Unreadable
from apps.core.registry import Registry
from apps.core.sealing import marked_broken

logger = logging.getLogger(__name__)


class Holder(Protocol):
    """Something that keeps ciphertexts or keyed hashes."""

    def old(self) -> int:
        """How many are not under the present key and profile."""

    def step(self, limit: int) -> int:
        """Make up to `limit` of them new; returns how many. May run twice, and beside normal writes."""


holders: Registry[Holder] = Registry("holder of ciphertexts")


@dataclass(frozen=True, slots=True)
class Column:
    """A column whose cells `fresh` rewrites: it gets a locked row and returns the new value of the cell."""

    rows: Callable[[], QuerySet[Any]]
    field: str
    fresh: Callable[[Any], Any]

    def old(self) -> int:
        """See Holder."""
        return self.rows().count()

    def step(self, limit: int) -> int:
        """See Holder. A cell that cannot be opened stays old, and holds nobody else up."""
        with transaction.atomic():
            locked = self.rows().select_for_update(skip_locked=True, of=("self",)).order_by("pk")
            return sum(self._renew(key) for key in list(locked.values_list("pk", flat=True)[:limit]))

    def _renew(self, key: Any) -> bool:
        """`update`, so that stamps and hashes of other fields stay as they are."""
        rows = self.rows().model._base_manager.filter(pk=key)
        try:
            rows.update(**{self.field: self.fresh(rows.get())})
        except ValueError as error:
            logger.error("%s %s: %s cannot be opened: %s", rows.model._meta.label, key, self.field, error)
            return False
        return True


def _not_under(model: type[models.Model], name: str) -> QuerySet[Any]:
    """Cast, since a lookup on an encrypted column would encrypt what it looks for."""
    prefix = provider().prefix
    head = Left(Cast(name, models.TextField()), len(prefix))
    return model._base_manager.alias(_head=head).exclude(_head__in=["", prefix])


def encrypted_column(model: type[models.Model], name: str) -> Column:
    """An EncryptedTextField."""

    field = model._meta.get_field(name)
    assert isinstance(field, EncryptedTextField)

    def rows() -> QuerySet[Any]:
        return _not_under(model, name)

    def fresh(row: Any) -> str:
        text: str = getattr(row, name)
        if isinstance(text, Unreadable):
            raise ValueError("it was changed, or its key is missing")
        return text

    return Column(rows, name, fresh)


def text_column(model: type[models.Model], name: str, context: Callable[[Any], str]) -> Column:
    """A text column that the room encrypts itself, each cell with its own context."""

    def rows() -> QuerySet[Any]:
        return _not_under(model, name)

    def fresh(row: Any) -> str:
        keys = provider()
        return keys.encrypt(keys.decrypt(getattr(row, name), context=context(row)), context=context(row))

    return Column(rows, name, fresh)


def sealed_rows(model: type[SealedRow]) -> Column:
    """The keyed hashes of a table of rights; one that does not hold is left as it is."""

    def rows() -> QuerySet[Any]:
        ours = Q(mac__startswith=f"{provider().mac_id}:")
        keys = [key.id for key in provider().masters() if not key.is_retired]
        known = Q()
        for key in keys:
            known |= Q(mac__startswith=f"{key}:") | Q(mac__startswith=f"{key}/")
        return model._base_manager.filter(known).exclude(ours)

    return Column(rows, "mac", lambda row: row.make_seal() if row.is_intact else marked_broken(row.mac))


def remaining() -> dict[str, int]:
    """Holder → how many ciphertexts or hashes are still old."""
    return {name: holder.old() for name, holder in holders.items()}


def reseal(limit: int = 500) -> int:
    """One step of each holder; returns how many were made new."""
    return sum(holder.step(limit) for _name, holder in holders.items())
