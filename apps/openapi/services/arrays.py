"""One statement over many rows whose columns travel as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString

import psycopg
from django.db import connection


def execute_arrays(statement: LiteralString, columns: Sequence[Sequence[object]]) -> list[tuple[Any, ...]]:
    """Run `statement` with an array for each `%b`, and return its rows (none where it returns nothing).

    Django's cursors write values into the statement as text: of long documents each quotation mark is escaped here and
    read again there. These arrays go beside it in PostgreSQL's binary form.
    """
    lists = [list(column) for column in columns]
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        psycopg.Cursor(cursor.connection) as binary,  # of the same connection and transaction
    ):
        binary.execute(statement, lists)
        return binary.fetchall() if binary.description else []
