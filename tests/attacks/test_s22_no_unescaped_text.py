"""S22 and S24: nothing in templates, Python or scripts writes text as markup; no parser of XML reads a DTD."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from defusedxml.common import DefusedXmlException

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SOURCES = [
    path for room in ("apps", "workers", "portal", "demo") for path in sorted((ROOT / room).rglob("*.py"))
]
SCRIPTS = [
    path
    for path in sorted((ROOT / "frontend").rglob("*.ts"))
    if ".test." not in path.name and "testing" not in path.parts
]
MARKUP = re.compile(r"\|\s*(safe|safeseq)\b|\{%\s*autoescape\s+off|\{%\s*filter\s+safe")
#: What makes a string count as markup, where its argument is not a literal.
TRUSTING = {"mark_safe", "SafeString", "SafeText"}
SINKS = re.compile(
    r"\.(innerHTML|outerHTML)\s*\+?=|insertAdjacentHTML|document\.write|createContextualFragment|setHTMLUnsafe"
    r"|\beval\s*\(|new Function\("
)
#: Leaflet takes a string for HTML: only an element may be given. The named methods answer an HTMLElement.
POPUP = re.compile(r"\.(bindPopup|bindTooltip|setPopupContent|setTooltipContent|setContent)\(\s*([^,)]*)")
ELEMENTS = {"this.card(message", "card"}  # card = fillTemplate(…), a cloned template filled by textContent
UNSAFE_XML = re.compile(r"^(xml\.(etree|dom|sax|parsers)|lxml|xmltodict|pulldom|xmlrpc)\b")


def test_the_scan_sees_the_files() -> None:
    assert (len(TEMPLATES) > 60, len(SOURCES) > 200, len(SCRIPTS) > 30) == (True, True, True)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_s22_no_template_trusts_text(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert MARKUP.findall(text) == []
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']|<script(?![^>]*\ssrc=)[^>]*>\s*\S|javascript:", text)
    unquoted = re.findall(r"\s[\w-]+=\{\{", text)
    assert unquoted == [], "an attribute without quotes ends at the first space of its value"


def _calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node


def _name(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def test_s22_no_python_trusts_text() -> None:
    found = []
    for path in SOURCES:
        for call in _calls(path):
            where = f"{path.relative_to(ROOT)}:{call.lineno}"
            if _name(call) in TRUSTING and not all(isinstance(one, ast.Constant) for one in call.args):
                found.append(where)
            if _name(call) == "format_html" and not isinstance(call.args[0], ast.Constant):
                found.append(where)
            if any(isinstance(one, ast.keyword) and one.arg == "is_safe" for one in call.keywords):
                found.append(where)
    assert found == []


def test_s22_no_script_writes_markup() -> None:
    found = []
    for path in SCRIPTS:
        text = path.read_text(encoding="utf-8")
        found += [f"{path.name}: {one[0]}" for one in SINKS.finditer(text)]
        found += [f"{path.name}: {one[0]}" for one in POPUP.finditer(text) if one[2] not in ELEMENTS]
    assert found == []
    markers = (ROOT / "frontend" / "islands" / "event_markers.ts").read_text(encoding="utf-8")
    assert re.search(r"card\([^)]*\): HTMLElement", markers)


def test_s24_only_the_parser_without_dtd_is_imported() -> None:
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [one.name for one in node.names] if isinstance(node, ast.Import) else []
            found += [f"{path.relative_to(ROOT)}: {name}" for name in names if UNSAFE_XML.match(name)]
    assert found == []


BOMB = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><a>&b;</a>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
FETCHING = '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/evil.dtd"><a/>'


@pytest.mark.parametrize("text", [BOMB, OUTSIDE, FETCHING])
def test_s24_the_parser_that_may_be_imported_refuses_them(text: str) -> None:
    from defusedxml.ElementTree import fromstring

    with pytest.raises(DefusedXmlException):
        fromstring(text, forbid_dtd=True)


def test_s24_workbooks_are_read_by_it_too() -> None:
    import openpyxl

    assert openpyxl.DEFUSEDXML
