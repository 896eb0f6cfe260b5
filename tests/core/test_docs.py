"""The documents: their links and pictures exist, and the table of variables says what the settings read."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from portal.launcher.bench import names as benches

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
VARIABLE = r"(?:VANTAGE_[A-Z_]+|DATABASE_URL|REDIS_URL)"

#: Where the environment of an installation is read.
READERS = [
    *(ROOT / "portal" / "settings").glob("*.py"),
    ROOT / "apps" / "core" / "crypto" / "provider.py",
    ROOT / "Procfile",
]
#: Read by tests, or given by the launcher to what it starts.
NOT_FOR_OPERATORS = {"VANTAGE_TEST_DATA", "VANTAGE_TEST_SUFFIX", "VANTAGE_HOST", "VANTAGE_PORT"}


def prose(document: Path) -> str:
    return CODE.sub("", document.read_text(encoding="utf-8"))


def anchors(document: Path) -> set[str]:
    """What GitHub-like renderers make of the headings."""
    found = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in found}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_and_picture_exists(document: Path) -> None:
    missing = []
    for link in LINK.findall(prose(document)):
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            missing.append(link)
    assert missing == []


def test_pictures_are_small_and_used() -> None:
    pictures = sorted((ROOT / "docs" / "images").glob("*"))
    text = "".join(prose(document) for document in DOCUMENTS)
    assert [path.name for path in pictures if path.stat().st_size > 250_000] == []
    assert [path.name for path in pictures if f"images/{path.name})" not in text] == []


def variables_read() -> set[str]:
    text = "\n".join(path.read_text(encoding="utf-8") for path in READERS)
    found = re.findall(rf"""["']({VARIABLE})["']|\$\{{({VARIABLE})""", text)
    return {quoted or expanded for quoted, expanded in found}


def test_the_operator_guide_names_exactly_the_variables_that_are_read() -> None:
    guide = (ROOT / "docs" / "operator.md").read_text(encoding="utf-8")
    named = set(re.findall(rf"\b{VARIABLE}\b", guide))
    assert variables_read() - NOT_FOR_OPERATORS - named == set(), "read, but not in the guide"
    assert named - variables_read() == set(), "in the guide, but read nowhere"


def test_each_variable_has_one_row_in_the_table() -> None:
    guide = (ROOT / "docs" / "operator.md").read_text(encoding="utf-8")
    rows = re.findall(rf"^\| `({VARIABLE})` \|", guide, re.MULTILINE)
    forbidden = {"VANTAGE_DEBUG", "VANTAGE_DEMO", "VANTAGE_OUTBOUND_EXACT"}
    assert sorted(rows) == sorted(variables_read() - NOT_FOR_OPERATORS - forbidden)


def test_the_privacy_note_and_the_guides_are_reachable_from_the_readme() -> None:
    for name in ("README.md", "README.zh-CN.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for guide in ("operator.md", "developer.md", "privacy.md", "performance.md"):
            assert f"(docs/{guide})" in text, (name, guide)


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md", "docs/operator.md"])
def test_the_guides_name_every_bench_and_the_commands(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for bench in (*benches(), "all"):
        assert f"`{bench}`" in text, bench
    for command in ("up", "doctor", "audit verify", "backup", "restore", "manage", "bench", "soak"):
        assert f"./vantage {command}" in text, command
