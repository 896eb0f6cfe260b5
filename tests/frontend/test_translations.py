"""The Chinese catalogue is complete, agrees with the source and with its compiled form; no text hides in code."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.utils.translation.template import templatize

from workers.vision.packages.check import RULES

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
TEMPLATES = sorted([*(ROOT / "templates").rglob("*.*"), *ROOT.glob("apps/*/templates/**/*.*")])
MODULES = sorted(path for room in ("apps", "portal", "workers") for path in (ROOT / room).rglob("*.py"))
CALLS = {
    "_",
    "gettext",
    "gettext_lazy",
    "gettext_noop",
    "ngettext",
    "ngettext_lazy",
    "pgettext",
    "pgettext_lazy",
}
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sdif]|\{\w*\}")
CJK = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
BILINGUAL = {
    # Words that are data in both languages, or labels that packages use.
    "apps/strategies/engine/components",
    "apps/openapi/services/messages.py",
    "apps/devices/services/rendition.py",
    "portal/settings",
    # Full-width signs, no words.
    "apps/core/spreadsheets.py",
}
ALLOWED = ("简体中文", "城市视频云中台", "%}中{%")


@dataclass
class Entry:
    """One message of the .po file; `strings` has several items only for plurals."""

    flags: str = ""
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def ids(self) -> list[str]:
        return [self.parts[key] for key in ("msgid", "msgid_plural") if key in self.parts]

    @property
    def key(self) -> str:
        """As gettext looks it up: a context stands before the message."""
        context = self.parts.get("msgctxt")
        return self.parts["msgid"] if context is None else f"{context}\x04{self.parts['msgid']}"

    @property
    def strings(self) -> list[str]:
        return [text for key, text in self.parts.items() if key.startswith("msgstr")]


def read_catalogue() -> list[Entry]:
    """The messages of the .po without its header; dropped ones (`#~`) do not count."""
    entries: list[Entry] = []
    for block in re.split(r"\n\s*\n", CATALOGUE.read_text("utf-8")):
        entry, key = Entry(), ""
        for line in block.splitlines():
            if line.startswith("#,"):
                entry.flags += line[2:]
            elif found := re.match(r"(?:(msg\w+(?:\[\d+\])?) )?(\".*\")$", line):
                key = found[1] or key
                entry.parts[key] = entry.parts.get(key, "") + ast.literal_eval(found[2])
        if entry.parts.get("msgid"):
            entries.append(entry)
    return entries


ENTRIES = read_catalogue()
KNOWN = {text for entry in ENTRIES for text in entry.ids}


def test_every_message_is_translated() -> None:
    assert len(ENTRIES) > 1000
    assert [e.ids for e in ENTRIES if not e.strings or not all(text.strip() for text in e.strings)] == []
    assert [e.ids for e in ENTRIES if "fuzzy" in e.flags] == []
    assert [e.ids for e in ENTRIES if len(e.strings) != 1] == [], "Chinese has one form for every number"


def test_no_message_stands_twice() -> None:
    seen = [(e.parts.get("msgctxt"), e.parts["msgid"]) for e in ENTRIES]
    assert len(seen) == len(set(seen))


def test_placeholders_agree_on_both_sides() -> None:
    wrong = [
        entry.ids
        for entry in ENTRIES
        if {*PLACEHOLDER.findall(entry.ids[-1])} != {*PLACEHOLDER.findall(entry.strings[0])}
    ]
    assert wrong == []


def test_the_compiled_catalogue_is_in_step() -> None:
    """`msgfmt -o django.mo django.po` was run after the last change."""
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = dict(gettext.GNUTranslations(file)._catalog)  # type: ignore[attr-defined]
    compiled.pop("", None)
    expected = {(e.key, 0) if "msgid_plural" in e.parts else e.key: e.strings[0] for e in ENTRIES}
    assert compiled == expected


def python_messages(tree: ast.AST) -> Iterator[str]:
    """The literal first arguments of gettext calls; for plurals both of them, for contexts the second."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name not in CALLS:
            continue
        arguments = node.args[1:2] if name.startswith("p") else node.args[: 2 if name.startswith("n") else 1]
        for argument in arguments:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value


def template_messages(text: str) -> Iterator[str]:
    """What Django's own extraction finds in a template."""
    source = templatize(text)
    for call in re.finditer(r"\bn?gettext\(((?:u?(?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"),?\s*)+)", source):
        for literal in re.findall(r"u?('(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")", call[1]):
            yield ast.literal_eval(literal)
    for call in re.finditer(r"(?<!\w)_\((\"[^\"]*\"|'[^']*')\)", source):
        yield ast.literal_eval(call[1])


def test_every_message_of_the_source_is_in_the_catalogue() -> None:
    """When this fails: makemessages, translate what is new, msgfmt (see docs/frontend.md)."""
    asked = {text: path for path in MODULES for text in python_messages(ast.parse(path.read_text("utf-8")))}
    for path in TEMPLATES:
        asked |= dict.fromkeys(template_messages(path.read_text("utf-8")), path)
    assert len(asked) > 1000
    missing = {
        text: str(path.relative_to(ROOT)) for text, path in asked.items() if text and text not in KNOWN
    }
    assert missing == {}


def without_allowed(text: str) -> str:
    for word in ALLOWED:
        text = text.replace(word, "")
    return text


def literals(tree: ast.Module) -> Iterator[str]:
    """Every string of a module but its docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def test_no_chinese_stands_in_python() -> None:
    found = {}
    for path in MODULES:
        name = path.relative_to(ROOT).as_posix()
        if any(name == known or name.startswith(f"{known}/") for known in BILINGUAL):
            continue
        if texts := [
            text for text in literals(ast.parse(path.read_text("utf-8"))) if CJK.search(without_allowed(text))
        ]:
            found[name] = texts
    assert found == {}


@pytest.mark.parametrize("folder", ["templates", "frontend"])
def test_no_chinese_stands_in_what_is_shown(folder: str) -> None:
    comment = re.compile(
        r"\{#.*?#\}|\{% comment.*?endcomment %\}|/\*.*?\*/|^\s*//.*?$", re.DOTALL | re.MULTILINE
    )
    found = {}
    for path in (ROOT / folder).rglob("*.*"):
        if path.suffix not in {".html", ".txt", ".ts"} or path.name.endswith(".test.ts"):
            continue
        if hit := CJK.search(without_allowed(comment.sub("", path.read_text("utf-8")))):
            found[path.relative_to(ROOT).as_posix()] = hit[0]
    assert found == {}


def test_messages_are_english() -> None:
    """English readers see the msgids themselves."""
    assert [text for text in KNOWN if CJK.search(text)] == []


def test_the_sentences_of_the_package_check_are_translated() -> None:
    """They are stored as English and translated when shown."""
    assert {text for rule in RULES for text in (rule.title, rule.mend)} - KNOWN == set()
