"""S17: a right that ends while a socket is open: closed or filtered within 5 s, and at once for new requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as live_settings
from django.db import OperationalError

from apps.accounts.permissions import SYSTEM
from apps.accounts.services import revoke_grant
from apps.algorithms.models import EventTypeGrant
from apps.core import outbox
from apps.core.ids import uuid7
from apps.core.realtime.push import push
from apps.devices import consumers
from apps.devices.models import Camera, CameraAccess
from apps.devices.services.live import live_right
from tests.attacks.sockets import Socket, session_of
from tests.support import factories

pytestmark = pytest.mark.django_db(transaction=True)
PROMISED_SECONDS = 5.0

Change = Callable[[], Any]


def end_session(cookie: str) -> None:
    """What logging out does to the store."""
    import_module(live_settings.SESSION_ENGINE).SessionStore(cookie).delete()


def tell(camera: Camera, topics: list[str]) -> None:
    """A push through outbox and relay, as the scheduler does it."""
    push("camera.state", camera.pk, {"camera": str(camera.pk), "id": str(uuid7())}, topics)
    outbox.relay_once()


@asynccontextmanager
async def holder(path: Path) -> AsyncIterator[None]:
    """A stream holder that sends bytes for ever."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = json.loads(await reader.readline())
        assert asked["camera"]
        writer.write(b'{"container": "mpegts"}\n')
        try:
            while True:
                writer.write(b"\x47" * 188)
                await writer.drain()
                await asyncio.sleep(0.05)
        except (ConnectionError, asyncio.CancelledError):
            writer.close()

    path.parent.mkdir(parents=True, exist_ok=True)
    server = await asyncio.start_unix_server(serve, path)
    try:
        yield
    finally:
        server.close()


def watch(camera: Camera, cookie: str, change: Change, sock: Path) -> tuple[int | None, bool]:
    """Open the live picture, apply `change`; (close code, whether bytes came before)."""

    async def scenario() -> tuple[int | None, bool]:
        async with holder(sock):
            connection = Socket(f"/ws/devices/{camera.pk}/live", cookie)
            accepted = await connection.connect()
            assert accepted
            chunk = await connection.receive()
            await sync_to_async(change)()
            code = await connection.closed_within(PROMISED_SECONDS)
            await connection.disconnect()
            return code, chunk.startswith(b"\x47")

    return asyncio.run(scenario())


@pytest.fixture
def sock(settings: Any, tmp_path: Path) -> Path:
    settings.VANTAGE_LIVE_SOCKET = str(tmp_path / "live.sock")
    return tmp_path / "live.sock"


def test_s17_a_revoked_grant_closes_the_live_picture(sock: Path) -> None:
    camera = factories.camera(address="rtsp://10.1.2.3/live")
    user = factories.user()
    grant = factories.grant_access(camera, user.organisation, ("live",)).grant
    code, streamed = watch(
        camera, session_of(user), lambda: revoke_grant(by=SYSTEM, grant=grant, reason="test"), sock
    )
    assert (code, streamed) == (4403, True)


def test_s17_a_database_that_is_away_for_a_moment_does_not_end_the_watch_over_a_right(
    sock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = factories.camera(address="rtsp://10.1.2.3/live")
    user = factories.user()
    grant = factories.grant_access(camera, user.organisation, ("live",)).grant
    asked: list[None] = []

    def judged(principal: Any, camera_id: Any) -> Any:
        asked.append(None)
        if len(asked) == 2:  # the first is the opening
            raise OperationalError("away")
        return live_right(principal, camera_id)

    monkeypatch.setattr(consumers, "live_right", judged)
    code, had_bytes = watch(
        camera, session_of(user), lambda: revoke_grant(by=SYSTEM, grant=grant, reason="test"), sock
    )
    assert (code, had_bytes) == (4403, True)
    assert len(asked) >= 3


def test_s17_a_grant_that_runs_out_closes_the_live_picture(sock: Path) -> None:
    from apps.core import clock

    camera = factories.camera(address="rtsp://10.1.2.3/live")
    user = factories.user()
    factories.grant_access(camera, user.organisation, ("live",))
    code, _ = watch(
        camera,
        session_of(user),
        lambda: CameraAccess.objects.filter(camera=camera).update(valid_to=clock.now()),
        sock,
    )
    assert code == 4403


def test_s17_a_logout_closes_the_live_picture(sock: Path) -> None:
    camera = factories.camera(address="rtsp://10.1.2.3/live")
    cookie = session_of(factories.user(camera.managing_organisation))
    code, _ = watch(camera, cookie, lambda: end_session(cookie), sock)
    assert code == 4403


def listen(cookie: str, steps: Callable[[Any], Awaitable[Any]]) -> Any:
    """Open the page's socket and run `steps` on it."""

    async def scenario() -> Any:
        connection = Socket("/ws/live", cookie)
        accepted = await connection.connect()
        assert accepted
        await connection.receive()  # hello
        await asyncio.sleep(0.5)  # the hub's subscription
        try:
            return await steps(connection)
        finally:
            await connection.disconnect()

    return asyncio.run(scenario())


def test_s17_a_revoked_subscription_is_filtered() -> None:
    camera, user, kind = factories.camera(), factories.user(), factories.event_type()
    grant = factories.grant_access(camera, user.organisation, ("subscribe",)).grant
    EventTypeGrant.objects.create(grant=grant, event_type=kind)
    topics = [f"s:{camera.pk}:{kind.pk}"]

    async def steps(connection: Any) -> tuple[int, int]:
        await sync_to_async(tell)(camera, topics)
        before = await connection.pushes_within(3)
        await sync_to_async(revoke_grant)(by=SYSTEM, grant=grant, reason="test")
        await asyncio.sleep(PROMISED_SECONDS)
        await sync_to_async(tell)(camera, topics)
        return len(before), len(await connection.pushes_within(3))

    assert listen(session_of(user), steps) == (1, 0)


@pytest.mark.parametrize("how", ["logout", "deactivated", "password", "idle", "expired"])
def test_s17_an_ended_session_closes_the_page_socket(how: str) -> None:
    from apps.accounts.models import Session
    from apps.core import clock

    user = factories.user()
    cookie = session_of(user)

    def change() -> None:
        if how == "logout":
            end_session(cookie)
        elif how == "deactivated":
            type(user).objects.filter(pk=user.pk).update(is_active=False)
        elif how == "password":
            user.set_password("another horse battery")
            user.save()
        elif how == "idle":
            store = import_module(live_settings.SESSION_ENGINE).SessionStore(cookie)
            store["last_seen"] = 1
            store.save()
        else:
            Session.objects.filter(pk=cookie).update(expire_date=clock.now())

    async def steps(connection: Any) -> int | None:
        await sync_to_async(change)()
        return await connection.closed_within(PROMISED_SECONDS)

    assert listen(cookie, steps) == 4401
