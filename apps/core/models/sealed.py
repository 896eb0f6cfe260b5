"""Rows with a keyed hash over what they give, and text columns that are encrypted at rest."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, ClassVar, Self

from django.db import models

from apps.core import sealing
from apps.core.crypto import provider

logger = logging.getLogger(__name__)


class SealedRow(models.Model):
    """A row that gives a right. `mac` is made by `save` and `bulk_create`; `QuerySet.update` breaks it on purpose."""

    sealed_fields: ClassVar[tuple[str, ...]] = ()

    mac = models.CharField(
        max_length=sealing.MAC_LENGTH, blank=True, default="", db_default="", editable=False
    )

    class Meta:
        abstract = True

    def _sealed_values(self) -> list[Any]:
        return [self.pk, *(getattr(self, name) for name in self.sealed_fields)]

    def make_seal(self) -> str:
        """Set `mac` over the present values."""
        self.mac = sealing.seal(self._meta.label_lower, self._sealed_values())
        return self.mac

    @property
    def is_intact(self) -> bool:
        """False when a value was changed, or the row made, by somebody without the key."""
        return sealing.holds(self._meta.label_lower, self._sealed_values(), self.mac)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Seal, then write."""
        self.make_seal()
        if (fields := kwargs.get("update_fields")) is not None:
            kwargs["update_fields"] = {*fields, "mac"}
        super().save(*args, **kwargs)


class SealedQuerySet(models.QuerySet[Any]):
    """Seals what is created in bulk."""

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """As Django's, each row sealed."""
        rows = list(objs)
        for row in rows:
            row.make_seal()
        return super().bulk_create(rows, *args, **kwargs)


class Unreadable(str):
    """Stands for text whose key is missing or that was changed: empty to a reader, kept as it is by `save`.

    One such column must not take its whole row away: a person whose telephone number cannot be read still logs in.
    """

    stored: str

    def __new__(cls, stored: str) -> Self:
        """`stored` is the ciphertext."""
        empty = super().__new__(cls)
        empty.stored = stored
        return empty


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text encrypted at rest (AES-GCM or SM4-GCM) and bound to its column; it can be shown, never searched.

    Text written before the column was encrypted is read as it stands, until the background job has sealed it.
    """

    @property
    def context(self) -> str:
        """What the ciphertext is bound to."""
        return f"{self.model._meta.db_table}.{self.column}"

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt; empty stays empty, and what could not be read stays what it was."""
        if isinstance(value, Unreadable):
            return value.stored
        text = super().get_prep_value(value)
        return provider().encrypt(text, context=self.context) if text else text

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        """Decrypt; `Unreadable` when it was changed or its key is missing."""
        if not value or not value.startswith(("v1:", "v2:")):
            return value
        try:
            return provider().decrypt(value, context=self.context)
        except ValueError:
            logger.exception("%s cannot be decrypted: was it changed, or is its key missing?", self.context)
            return Unreadable(value)

    def formfield(self, **kwargs: Any) -> Any:
        """One line, not an area."""
        from django import forms

        return super().formfield(**{"widget": forms.TextInput, **kwargs})
