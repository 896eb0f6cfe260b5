"""Text that came from outside: from a person, a device, a package. What deceives the eye or the log is taken out."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

#: Characters that change the direction of what follows, or join and hide: never part of a name.
_DECEIVING = frozenset(
    "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\ufff9\ufffa\ufffb"
)
_KEPT = frozenset("\n\t")
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029" + "".join(sorted(_DECEIVING)) + "]")


def plain_text(text: str, *, limit: int | None = None) -> str:
    """Without control characters (but line feed and tab), bidirectional overrides, tags and lone surrogates.

    Line ends become `\\n`; at most `limit` characters are kept.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(one for one in text if one in _KEPT or not _is_hidden(one))
    return kept if limit is None else kept[:limit]


def one_line(text: str, *, limit: int) -> str:
    """The same on one line, for names: every run of white space is one space."""
    return " ".join(plain_text(text).split())[:limit]


def plain_data(value: Any) -> Any:
    """The same for every text inside lists and objects of JSON or YAML, keys included."""
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, dict):
        return {plain_data(key): plain_data(one) for key, one in value.items()}
    return [plain_data(one) for one in value] if isinstance(value, list) else value


def _is_hidden(one: str) -> bool:
    """C0, C1, surrogates, private tags, separators, and what deceives."""
    kind = unicodedata.category(one)
    return one in _DECEIVING or kind in {"Cc", "Cs", "Zl", "Zp"} or 0xE0000 <= ord(one) <= 0xE007F


def escaped(text: str) -> str:
    """A line of JSON whose remaining control and direction characters are written as escapes."""
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
