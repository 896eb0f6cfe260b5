"""What the views of this room share: a service's refusal in its form, foreign rows as 404."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest

from apps.core.errors import Refusal


def show_refusal(form: Any, error: Refusal) -> None:
    """Put the words beside the fields they speak of, else above the form."""
    placed = False
    for name, words in error.fields.items():
        if name in form.fields and words:
            form.add_error(name, str(words))
            placed = True
    if not placed:
        form.add_error(None, str(error.message))


def visible_or_404(rows: Any, request: HttpRequest, pk: Any) -> Any:
    """The row, if this principal may see it."""
    row = rows.visible_to(request.principal).filter(pk=pk).first()  # type: ignore[attr-defined]
    if row is None:
        raise Http404
    return row
