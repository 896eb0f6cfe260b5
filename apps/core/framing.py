"""Which other sites may show a page of ours in a frame: nobody, but for pages that say so and sites that were named."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

MOST_ORIGINS = 20
#: `https://host` or `https://host:port` and nothing else: no path, no name and password, no wildcard, no quotes. A host
#: is written as browsers compare it: small letters, digits, hyphens and dots (other scripts in Punycode).
ORIGIN = re.compile(
    r"https://(?=.{1,253}(?::|\Z))[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?\Z"
)


def is_origin(text: str) -> bool:
    """True for a secure origin as a policy may name it."""
    found = ORIGIN.match(text)
    return found is not None and int(found["port"] or 443) <= 65535


def validate_origin(text: str) -> None:
    """A validator of fields; raises ValidationError (`origin`)."""
    if not is_origin(text):
        raise ValidationError(
            _("%(value)s is not a site: write https://host or https://host:port, and nothing after it."),
            "origin",
            {"value": text},
        )


def framed_by(origins: Callable[[HttpRequest], list[str]]) -> Callable[[Any], Any]:
    """Decorator of a view: its page may stand in frames of the sites that `origins` names for this request.

    An empty list leaves the page as closed as every other. What is not an origin counts for nothing, wherever it came
    from: a word in a policy could otherwise open something else.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def framable(request: HttpRequest, *given: Any, **named: Any) -> HttpResponse:
            answer = view(request, *given, **named)
            if answer.status_code != 200:
                return answer
            sites = [one for one in origins(request)[:MOST_ORIGINS] if is_origin(one)]
            if sites:
                answer._csp_replace = {"frame-ancestors": sites}  # type: ignore[attr-defined]
                answer.xframe_options_exempt = True  # that header knows no list
            return answer

        return framable

    return decorate
