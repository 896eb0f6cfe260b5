"""The built files' tags: right addresses after a build, a plain page without one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.template import Context, Template

MANIFEST = {
    "frontend/main.ts": {"file": "assets/main-1.js", "css": ["assets/main-1.css"], "imports": ["_shared"]},
    "_shared": {"file": "assets/shared-1.js", "css": ["assets/shared-1.css"], "imports": ["_shared"]},
}


@pytest.fixture
def dist(tmp_path: Path, settings: Any) -> Path:
    settings.BASE_DIR = tmp_path
    settings.STATIC_URL = "/static/"
    folder = tmp_path / "static" / "dist" / ".vite"
    folder.mkdir(parents=True)
    return folder


def render(source: str, **context: Any) -> str:
    return Template(source).render(Context(context))


def test_an_entry_brings_its_styles_preloads_and_script(dist: Path) -> None:
    (dist / "manifest.json").write_text(json.dumps(MANIFEST))
    html = render('{% vite_asset "frontend/main.ts" %}')
    assert '<link rel="stylesheet" href="/static/dist/assets/main-1.css">' in html
    assert '<link rel="stylesheet" href="/static/dist/assets/shared-1.css">' in html
    assert html.count('<link rel="modulepreload" href="/static/dist/assets/shared-1.js">') == 1
    assert '<script type="module" src="/static/dist/assets/main-1.js"></script>' in html


def test_a_page_without_a_build_still_renders(dist: Path) -> None:
    html = render('{% vite_asset "frontend/main.ts" %}{% icon "home" %}')
    assert "<script" not in html
    assert "not built" in html


def test_a_new_build_is_seen_without_a_restart(dist: Path) -> None:
    path = dist / "manifest.json"
    path.write_text(json.dumps(MANIFEST))
    assert "main-1.js" in render("{% vite_asset %}")
    path.write_text(json.dumps(MANIFEST).replace("main-1.js", "main-2.js"))
    os.utime(path, (2_000_000_000, 2_000_000_000))
    assert "main-2.js" in render("{% vite_asset %}")


def test_an_icon_is_decoration_unless_it_has_a_label(dist: Path) -> None:
    (dist / "icons.json").write_text('{"file": "assets/icons-1.svg", "names": ["home"]}')
    assert 'href="/static/dist/assets/icons-1.svg#home"' in render('{% icon "home" %}')
    assert 'aria-hidden="true"' in render('{% icon "home" %}')
    labelled = render('{% icon "home" label=label %}', label='"><script>')
    assert 'role="img"' in labelled
    assert "<script>" not in labelled
