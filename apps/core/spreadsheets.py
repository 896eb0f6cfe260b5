"""Cells for files that people open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

#: What makes a spreadsheet take a text for a formula, with the full-width forms that some take likewise.
STARTS = frozenset("=+-@\t\r\n＝＋－＠|%")


def harmless(cell: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets an apostrophe (OWASP: CSV injection)."""
    if isinstance(cell, str) and (
        cell[:1] in STARTS or cell.strip("\ufeff\u200b \u00a0\u3000")[:1] in STARTS
    ):
        return f"'{cell}"
    return cell


def lines(rows: Iterable[Iterable[Any]]) -> str:
    """CSV lines with every cell made harmless."""
    buffer = io.StringIO()
    csv.writer(buffer).writerows([harmless(cell) for cell in row] for row in rows)
    return buffer.getvalue()
