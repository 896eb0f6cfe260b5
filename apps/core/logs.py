"""Structured logs: one JSON object a line; secrets masked; control characters escaped by JSON."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime

from apps.core.text import escaped

# Up to the last "@" before white space or a quote: a password may itself hold "@" or "/".
_URL_SECRET = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://[^\s:/@]*):(?P<secret>[^\s\"'<>]+)@", re.IGNORECASE)
_QUERY_SECRET = re.compile(
    r"(?P<name>[?&;](?:password|passwd|pwd|token|secret|key|auth|sign)[^=&#\s]*=)[^&#\s\"']+", re.IGNORECASE
)
_KEYS = re.compile(
    r"(?P<name>(?:vk_|whsec_)|(?:authorization|api[-_]?key|x-api-key|password|passwd|secret|token)[\"']?\s*[:=]\s*[\"']?)"
    r"(?P<secret>(?:bearer\s+|key\s+)?[^\s\"',&}]+)",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """The text with credentials in URLs, keys and tokens replaced by ***."""
    text = _URL_SECRET.sub(r"\g<scheme>:***@", text)
    text = _QUERY_SECRET.sub(r"\g<name>***", text)
    return _KEYS.sub(r"\g<name>***", text)


#: What a log call may add by `extra=`: ids and small words, never secrets. `trace` is apps.core.trace.trace_of.
FIELDS = ("trace", "slot", "camera", "event", "delivery", "node", "outcome", "milliseconds")


class SecretFilter(logging.Filter):
    """Masks the finished message and its exception text; a filter sees every record of a handler."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # a log call with wrong arguments must not break its caller
            text = f"{record.msg} {record.args!r}"
        record.msg, record.args = masked(text), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = masked(record.exc_text)
        return True


class JsonFormatter(logging.Formatter):
    """`{"at","level","logger","message",…}` with the request's id where there is one, and FIELDS."""

    def format(self, record: logging.LogRecord) -> str:
        from apps.core.audit import request_context

        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        context = request_context.get()
        if context.request_id:
            line["request"] = context.request_id
        for name in FIELDS:
            if name in record.__dict__:
                found = record.__dict__[name]
                line[name] = found if isinstance(found, (int, float)) else str(found)
        if record.exc_text:
            line["error"] = record.exc_text
        elif record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return escaped(json.dumps(line, ensure_ascii=False))
