"""The rail: only pages that exist and that the principal may see, with the current one marked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.test import RequestFactory

from portal import context_processors
from portal.context_processors import navigation, shell
from portal.navigation import AREAS, Area, Page
from portal.words import script_words


@pytest.fixture
def request_of(rf: RequestFactory, monkeypatch: pytest.MonkeyPatch) -> Any:
    known = {"a:one": "/a/one", "a:two": "/a/two", "b:secret": "/b/secret"}
    monkeypatch.setattr(context_processors, "_url", lambda name: known.get(name, ""))
    areas = (
        Area(
            "A",
            icon="home",
            pages=(Page("Gone", "a:gone"), Page("One", "a:one", prefixes=("a:",)), Page("Two", "a:two")),
        ),
        Area("B", icon="lock", pages=(Page("Secret", "b:secret", ability="b.view"),)),
        Area("C", icon="x", pages=(Page("Missing", "c:missing"),)),
    )
    monkeypatch.setattr(context_processors, "AREAS", areas)

    def make(view_name: str = "", abilities: tuple[str, ...] = (), logged_in: bool = True) -> Any:
        request = rf.get("/")
        request.resolver_match = SimpleNamespace(view_name=view_name)
        request.principal = SimpleNamespace(can=lambda ability: ability in abilities) if logged_in else None
        return request

    return make


def labels(areas: list[dict[str, Any]]) -> list[str]:
    return [str(area["label"]) for area in areas]


def test_an_area_without_a_page_is_not_shown(request_of: Any) -> None:
    assert labels(navigation(request_of())) == ["A"]


def test_an_ability_opens_an_area(request_of: Any) -> None:
    assert labels(navigation(request_of(abilities=("b.view",)))) == ["A", "B"]


def test_nobody_sees_nothing(request_of: Any) -> None:
    assert navigation(request_of(logged_in=False)) == []


@pytest.mark.parametrize(("view_name", "current"), [("a:two", "Two"), ("a:one-detail", "One"), ("b:x", None)])
def test_the_current_page_is_marked(request_of: Any, view_name: str, current: str | None) -> None:
    pages = navigation(request_of(view_name))[0]["pages"]
    assert [page["label"] for page in pages if page["current"]] == ([current] if current else [])


@pytest.mark.parametrize(
    ("cookie", "theme"), [("dark", "dark"), ("light", "light"), ('"><script>', "auto"), ("", "auto")]
)
def test_the_theme_comes_from_the_cookie(request_of: Any, cookie: str, theme: str) -> None:
    request = request_of()
    request.COOKIES["vantage_theme"] = cookie
    assert shell(request)["theme"] == theme


def test_each_page_stands_once() -> None:
    names = [page.url_name for area in AREAS for page in area.pages]
    assert len(names) == len(set(names))


def test_words_are_plain_texts() -> None:
    words = script_words()
    assert words["undo"]
    assert all(isinstance(text, str) for text in words.values())
