"""What the shell needs on every page: areas, theme, rail, and the words the scripts speak."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject

from apps.accounts.services.sessions import is_asked_for_second_factor
from portal.navigation import AREAS, Area, Page
from portal.words import script_words

THEMES = ("auto", "light", "dark")
_SHELL_URLS = {
    "search": ("search", "accounts:search"),
    "jobs": ("job-list", "accounts:job-list"),
    "notifications": ("notification-list", "accounts:notification-list"),
    "profile": ("profile", "accounts:profile"),
    "set_language": ("set_language",),
    "login": ("login",),
    "logout": ("logout",),
    "password_change": ("password_change",),
    "home": ("home",),
}
LIVE_SOCKET_PATH = "/ws/live"


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context of base.html. Lazy where it costs anything, since partials are rendered with it too."""
    theme = request.COOKIES.get("vantage_theme", "auto")
    return {
        "theme": theme if theme in THEMES else "auto",
        "rail": "narrow" if request.COOKIES.get("vantage_rail") == "narrow" else "wide",
        "shell_urls": SimpleLazyObject(
            lambda: {key: _first_url(names) for key, names in _SHELL_URLS.items()}
        ),
        "navigation": SimpleLazyObject(lambda: navigation(request)),
        "script_words": script_words,
        "live_socket_path": LIVE_SOCKET_PATH,
        "second_factor_note": SimpleLazyObject(
            lambda: is_asked_for_second_factor(getattr(request, "principal", None))
        ),
        "error_id": getattr(request, "error_id", ""),
    }


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Areas that have a page this user may see, each with its pages; the current ones are marked."""
    principal = getattr(request, "principal", None)
    if principal is None:
        return []
    view_name = request.resolver_match.view_name if request.resolver_match else ""
    shown = [_shown_area(area, principal, view_name) for area in AREAS]
    return [area for area in shown if area is not None]


def _shown_area(area: Area, principal: Any, view_name: str) -> dict[str, Any] | None:
    pages = [page for page in area.pages if _may_see(principal, page.ability) and _url(page.url_name)]
    if not pages:
        return None
    current = _current_page(pages, view_name)
    return {
        "label": area.label,
        "icon": area.icon,
        "url": _url(pages[0].url_name),
        "current": current is not None,
        "pages": [
            {"label": page.label, "url": _url(page.url_name), "current": page is current} for page in pages
        ],
    }


def _current_page(pages: list[Page], view_name: str) -> Page | None:
    """The page with this very view, else the one with the longest fitting prefix."""
    exact = next((page for page in pages if page.url_name == view_name), None)
    if exact:
        return exact
    fitting = [(len(start), page) for page in pages for start in page.prefixes if view_name.startswith(start)]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None


def _may_see(principal: Any, ability: str) -> bool:
    """Whether a role of the principal has the ability; the pages behind check again, this only hides words."""
    return not ability or principal.can(ability)


def _url(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _first_url(names: tuple[str, ...]) -> str:
    return next((url for url in map(_url, names) if url), "")
