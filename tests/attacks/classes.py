"""What every route is: open to all, open to every user, for a role, or about an object of one bureau.

A new route fails `test_s14_every_route_is_classified` until it stands here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.attacks.world import World

#: Answered to everybody: they hold nothing of a bureau.
PUBLIC = {
    "login", "logout", "healthz", "readyz", "set_language", "api:schema", "openapi:index",
}  # fmt: skip

#: For every user; an answer holds only what that user may see (checked by the names and ids of bureau A).
#: The value names the object that the managing bureau must find in it, so that the check is not empty.
LOGIN: dict[str, str] = {
    "home": "event", "overview": "", "search": "", "job-list": "", "notification-list": "", "profile": "",
    "password_change": "", "password_change_done": "", "metrics": "",
    "accounts:second-factor": "", "accounts:second-factor-enrol": "", "accounts:second-factor-remove": "",
    "accounts:recovery-codes": "", "accounts:session-end": "",
    "accounts:requisition-list": "requisition", "accounts:requisition-add": "",
    "api:map-api": "camera", "api:api-docs": "",
    "api:camera-list": "camera", "api:camera-test-stream": "", "api:capture-list": "capture",
    "api:algorithm-list": "", "api:eventtype-list": "", "api:algorithmpackage-list": "",
    "api:analysistask-list": "task", "api:scene-list": "scene", "api:plan-list": "plan",
    "api:event-list": "event", "api:strategy-list": "strategy", "api:trace-list": "trace",
    "api:app-list": "app", "api:subscription-list": "subscription", "api:delivery-list": "delivery",
    "devices:camera-map": "camera", "devices:camera-list": "camera", "devices:camera-add": "",
    "devices:stream-test": "", "devices:map-data": "camera", "devices:purpose": "", "devices:ledger": "",
    "devices:ledger-export": "",
    "algorithms:algorithm-list": "", "algorithms:package-list": "", "algorithms:package-upload": "",
    "algorithms:event-type-list": "",
    "analysis:task-list": "task", "analysis:task-add": "camera", "analysis:camera-choices": "camera",
    "analysis:scene-list": "scene", "analysis:scene-add": "camera", "analysis:plan-list": "plan",
    "analysis:plan-add": "", "analysis:slot-list": "slot",
    "events:live": "event", "events:event-list": "event", "events:event-export": "event",
    "events:workbench": "event", "events:workbench-queue": "event",
    "strategies:strategy-list": "strategy", "strategies:strategy-add": "", "strategies:trace-list": "trace",
    "strategies:trace-retry": "",
    "dispatch:chain": "", "dispatch:health": "", "dispatch:node-list": "",
    "openapi:app-list": "app", "openapi:app-add": "",
    "openapi:subscription-list": "subscription", "openapi:subscription-add": "",
    "openapi:delivery-list": "delivery", "openapi:delivery-resend-preview": "",
    "openapi:delivery-resend-chosen": "",
}  # fmt: skip

#: For one role only; the four clients, who hold others, are refused whatever bureau they are of.
ROLE = {
    "audit-list", "algorithms:event-type-add", "algorithms:event-type-edit",
    "devices:odd-list", "devices:odd-note", "devices:deletion-list", "devices:retention-list",
    "devices:retention-edit", "devices:lock-list", "devices:lock-add", "devices:lock-release",
}  # fmt: skip

#: About the platform's shared warehouse: every user may look, changing needs a role.
SHARED: dict[str, str] = {
    "api:algorithm-detail": "algorithm", "api:eventtype-detail": "event_type",
    "api:algorithmpackage-detail": "package",
    "algorithms:algorithm-detail": "algorithm", "algorithms:package-detail": "package",
    "algorithms:version-listed": "version", "algorithms:mapping-decide": "item",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class About:
    """A route about an object. `granted`: whether the bureau with a valid grant sees it too.

    `empty`: a stranger gets an empty answer (200) instead of 404, the same as for an id that is nobody's.
    `data`: a body with which the managing bureau's writing is more than a refused form. `query`: what a GET needs.
    """

    identifiers: Callable[[World], dict[str, Any]]
    granted: bool = False
    empty: bool = False
    data: dict[str, Any] | None = None
    query: Callable[[World], dict[str, Any]] | None = None

    def strange(self, world: World) -> dict[str, Any]:
        """The same parameters with ids that are nobody's."""
        return {
            name: value if isinstance(value, int) else uuid4()
            for name, value in self.identifiers(world).items()
        }


def _pk(name: str, **rest: Any) -> About:
    return About(lambda world: {"pk": getattr(world, name).pk}, **rest)


VERDICT = {"verdict": "confirmed"}
REPLAY = {"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z", "preview": True}

#: About an object of one bureau.
OBJECT: dict[str, About] = {
    "api:camera-detail": _pk("camera", granted=True),
    "api:capture-detail": _pk("capture", granted=True),
    "api:analysistask-detail": _pk("task"),
    "api:analysistask-stop": _pk("task"),
    "api:analysistask-units": _pk("task"),
    "api:scene-detail": _pk("scene", granted=True),
    "api:plan-detail": _pk("plan"),
    "api:event-detail": _pk("event", granted=True),
    "api:event-occurrences": _pk("event", granted=True),
    "api:event-picture": _pk("event", granted=True),
    "api:event-reviews": _pk("event", granted=True, data=VERDICT),
    "api:event-review-undo": About(
        lambda world: {"pk": world.event.pk, "review": world.review.pk}, granted=True
    ),
    "api:strategy-detail": _pk("strategy"),
    "api:trace-detail": _pk("trace"),
    "api:app-detail": _pk("app"),
    **{
        f"api:subscription-{verb}": _pk("subscription")
        for verb in ("detail", "pause", "resume", "rotate", "test")
    },
    "api:subscription-explain": _pk("subscription", query=lambda world: {"event": world.event.pk}),
    "api:subscription-replay": _pk("subscription", data=REPLAY),
    "api:delivery-detail": _pk("delivery"),
    "api:delivery-resend": _pk("delivery"),
    "accounts:requisition-decide": _pk("requisition"),
    "accounts:requisition-withdraw": _pk("requisition"),
    "devices:camera-detail": _pk("camera", granted=True),
    "devices:camera-edit": _pk("camera"),
    "devices:stream-edit": _pk("camera"),
    "devices:camera-snapshot": _pk("camera", granted=True),
    "analysis:task-detail": _pk("task"),
    "analysis:task-submit": _pk("task"),
    "analysis:task-stop": _pk("task"),
    "analysis:scene-shapes": _pk("rule"),
    "analysis:scene-edit": About(lambda world: {"camera_id": world.camera.pk, "preset": 0}, granted=True),
    "analysis:plan-edit": _pk("plan"),
    "analysis:camera-coverage": _pk("camera", granted=True),
    "analysis:camera-tasks": _pk("camera", granted=True),
    "events:camera-events": _pk("camera", granted=True),
    "events:workbench-panel": _pk("event", granted=True),
    "events:event-decide": _pk("event", granted=True, data=VERDICT),
    "events:event-lock": _pk("event", granted=True),
    "events:review-undo": _pk("review", granted=True),
    "dispatch:chain-frame": _pk("event", granted=True),
    "events:event-detail": _pk("event", granted=True),
    "events:event-row": _pk("event", granted=True),
    "events:event-review": _pk("event", granted=True, data=VERDICT),
    "strategies:trace-detail": _pk("trace"),
    "strategies:event-trace": About(lambda world: {"raw_event": world.event.raw_event_id}, empty=True),
    "strategies:binding-end": _pk("binding"),
    **{f"strategies:strategy-{verb}": _pk("strategy") for verb in ("detail", "draft", "switch", "bind")},
    "openapi:app-detail": _pk("app"),
    "openapi:app-state": _pk("app"),
    "openapi:key-add": _pk("app"),
    "openapi:key-revoke": _pk("key"),
    "openapi:key-rotate": _pk("key"),
    **{
        f"openapi:subscription-{verb}": _pk("subscription")
        for verb in ("detail", "edit", "test", "rotate", "state", "delete", "replay")
    },
    "openapi:delivery-detail": _pk("delivery"),
    "openapi:delivery-resend": _pk("delivery"),
    "openapi:event-deliveries": _pk("event", granted=True),
}

#: Walked by the tests of the media door, which makes its own tokens.
MEDIA = {"devices:media"}

#: WebSocket routes: whether they are about an object.
SOCKETS = {"ws/live": False, "ws/devices/<uuid:camera_id>/live": True}


def classified() -> set[str]:
    """All keys of the tables."""
    return PUBLIC | set(LOGIN) | ROLE | set(SHARED) | set(OBJECT) | MEDIA
