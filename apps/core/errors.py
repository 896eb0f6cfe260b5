"""What a service raises when it refuses: a stable code, what happened, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise

Text = str | Promise


class Refusal(Exception):
    """A service said no. `code` is stable for machines, `message` is for the person who asked.

    `fields` names the inputs at fault, `status` is the HTTP status an API answers with.
    """

    status = 400

    def __init__(self, code: str, message: Text, *, fields: Mapping[str, Text] | None = None) -> None:
        super().__init__(str(message))
        self.code = code
        self.message = message
        self.fields = dict(fields or {})


class NotAllowed(Refusal):
    """The principal may see the object but may not do this to it."""

    status = 403


class Conflict(Refusal):
    """The object is in another state than the request supposes."""

    status = 409


class NotFound(Refusal):
    """There is no such object for this principal (a foreign one answers the same)."""

    status = 404
