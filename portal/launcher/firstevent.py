"""The first event that the running demo raises, read where it is written."""

import time
import uuid

import psycopg

TABLE = "events_event"


def time_floor(seconds: float) -> uuid.UUID:
    """The smallest UUIDv7 (RFC 9562) of that Unix time: ids of later rows are greater."""
    return uuid.UUID(int=(int(seconds * 1000) << 80) | (7 << 76) | (2 << 62))


class FirstEvent:
    """Looks for an event raised after this object was made; `ready` is when the web was."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        self.started = self.ready = time.time()

    def find(self) -> str | None:
        """The id of the first one, or None; a database that is restarting is not an error."""
        query = f"SELECT id FROM {TABLE} WHERE id > %s ORDER BY id LIMIT 1"  # noqa: S608 - a constant
        try:
            with psycopg.connect(self.database_url, connect_timeout=2) as connection:
                row = connection.execute(query, [time_floor(self.started)]).fetchone()
        except psycopg.Error:
            return None
        return str(row[0]) if row else None
