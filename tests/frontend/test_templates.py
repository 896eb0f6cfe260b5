"""What the CSP forbids must not stand in any template, and no template may switch escaping off."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted([*(ROOT / "templates").rglob("*.html"), *ROOT.glob("apps/*/templates/**/*.html")])
FORBIDDEN = {
    "inline script": re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>"),
    "inline handler": re.compile(r"\son[a-z]+\s*=\s*[\"']"),
    "style attribute": re.compile(r"\sstyle\s*=\s*[\"']"),
    "style element": re.compile(r"<style\b"),
    "hx-on": re.compile(r"\bhx-on\b"),
    "script in hx-vals": re.compile(r"hx-(vals|headers)=[\"']\s*(js|javascript):"),
    "foreign address": re.compile(r"(src|href)=[\"'](https?:)?//"),
    "escaping off": re.compile(r"\|\s*safe\b|\{%\s*autoescape\s+off|leaflet_map"),
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_keeps_to_the_csp(path: Path) -> None:
    text = path.read_text("utf-8")
    found = {name: match.group(0) for name, rule in FORBIDDEN.items() if (match := rule.search(text))}
    assert found == {}


def test_scripts_hold_no_words_and_no_markup_sinks() -> None:
    wrong = re.compile(
        r"\.innerHTML\s*=|insertAdjacentHTML|document\.write|bindPopup\(\s*[`\"']|[\u4e00-\u9fff]"
    )
    for path in (ROOT / "frontend").rglob("*.ts"):
        if not path.name.endswith(".test.ts") and "testing" not in path.parts:
            assert not wrong.search(path.read_text("utf-8")), path.name
