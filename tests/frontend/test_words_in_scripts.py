"""Every word a script asks for exists, and no word is kept that nobody asks for."""

from __future__ import annotations

import re
from pathlib import Path

from portal.words import script_words

SCRIPTS = Path(__file__).resolve().parents[2] / "frontend"
BUILT = re.compile(r"^(theme|player|region|review|live)_|_(ago)$|^in_")


def test_scripts_and_words_agree() -> None:
    text = "\n".join(p.read_text("utf-8") for p in SCRIPTS.rglob("*.ts") if not p.name.endswith(".test.ts"))
    asked = set(re.findall(r"\bt\(\s*(?:[\w= ]+\?\s*)?\"(\w+)\"", text)) | set(
        re.findall(r"\"(live_\w+)\"", text)
    )
    words = set(script_words())
    assert asked - words == set()
    unused = {key for key in words if f'"{key}"' not in text and not BUILT.search(key)}
    assert unused == set()
