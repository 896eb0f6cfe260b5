"""For migrations: seal the rows of a table that were there before their keyed hash was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps.core import sealing


def seal_existing(app: str, model: str, fields: tuple[str, ...]) -> Callable[[Any, Any], None]:
    """A RunPython step. Rows of before the upgrade are trusted as they are: there is nothing to check them by."""

    def forward(apps: Any, editor: Any) -> None:
        rows = apps.get_model(app, model)
        for row in rows.objects.using(editor.connection.alias).filter(mac="").iterator(chunk_size=1000):
            values = [row.pk, *(getattr(row, name) for name in fields)]
            rows.objects.filter(pk=row.pk).update(mac=sealing.seal(f"{app}.{model}", values))

    return forward
