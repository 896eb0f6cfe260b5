"""Four clients around one event: nobody, another bureau, a bureau whose grant ended, and one with a grant."""

from __future__ import annotations

from dataclasses import dataclass

from django.test import Client

from apps.accounts.models import Organisation, User
from apps.devices.models import CameraAccess
from apps.events.models import Event
from tests.support import factories
from tests.support.looking import state_purpose

ROLES = ("event_reviewer", "algorithm_arranger")


@dataclass(frozen=True)
class Four:
    """The clients, each logged in but `nobody`; `manager` is of the managing organisation."""

    nobody: Client
    other: Client
    ended: Client
    granted: Client
    manager: Client
    users: dict[str, User]


def client_of(user: User) -> Client:
    """A logged-in client."""
    client = Client()
    client.force_login(user)
    return state_purpose(client)


def subscribe_grant(event: Event, grantee: Organisation, *, ended: bool = False) -> CameraAccess:
    """A grant of subscribe on (camera, event type)."""
    access = factories.grant_access(event.camera, grantee, ("subscribe",), ended=ended)
    access.grant.event_type_links.create(event_type=event.event_type)
    return access


def four_clients(event: Event) -> Four:
    """The clients around `event`."""
    ended, granted = factories.organisation(), factories.organisation()
    subscribe_grant(event, ended, ended=True)
    subscribe_grant(event, granted)
    users = {
        "other": factories.user(roles=ROLES),
        "ended": factories.user(ended, ROLES),
        "granted": factories.user(granted, ROLES),
        "manager": factories.user(event.camera.managing_organisation, ROLES),
    }
    clients = {name: client_of(user) for name, user in users.items()}
    return Four(nobody=Client(), users=users, **clients)
