"""One event told to many: its message is encoded once, and each subscription's own parts are put in."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from apps.events.models import Event
from apps.openapi.models import Subscription
from apps.openapi.services.links import picture_links
from apps.openapi.services.signing import encode_body

#: What stands in a template for the id and the pictures: chance that no event says.
STAND_IN = UUID(bytes=secrets.token_bytes(16))
PICTURES = (secrets.token_hex(16),)


class Template:
    """The bytes of a message between what differs: the pictures' links, the id, and its half in `traceparent`."""

    __slots__ = ("_parts",)

    def __init__(self, document: dict[str, Any]) -> None:
        """`document` is a message with the id STAND_IN and PICTURES for its images; its keys come sorted."""
        rest, parts = encode_body(document), []
        for mark in (encode_body(PICTURES), str(STAND_IN).encode(), STAND_IN.hex[-16:].encode()):
            part, found, rest = rest.partition(mark)
            if not found:
                raise ValueError("not the document of a template")
            parts.append(part)
        self._parts = (*parts, rest)

    def filled(self, message: UUID, subscription: Subscription, event: Event) -> bytes:
        """The same bytes as `encode_body(build_message(…))`."""
        first, second, third, last = self._parts
        images = encode_body(picture_links(subscription, event))
        return b"".join(
            (first, images, second, str(message).encode(), third, message.hex[-16:].encode(), last)
        )
