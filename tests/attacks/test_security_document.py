"""docs/security.md names tests that exist, and every attack that is tested here stands in a file of its number."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`((?:tests/\w+/)?test_\w+\.py)(?:::(test_\w+))?`", DOCUMENT)


def test_every_test_that_the_document_names_exists() -> None:
    assert len(NAMED) > 50
    missing = []
    for file, function in NAMED:
        path = ROOT / (file if file.startswith("tests/") else f"tests/attacks/{file}")
        if not path.exists() or (function and f"def {function}(" not in path.read_text(encoding="utf-8")):
            missing.append(f"{file}::{function}")
    assert missing == []


def test_what_is_not_met_is_said() -> None:
    assert "## Not met, or not shown" in DOCUMENT
    assert DOCUMENT.count("\n| V") > 50
