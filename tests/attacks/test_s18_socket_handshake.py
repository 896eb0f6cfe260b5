"""S18: a socket without a login, or opened by a page of another site, is refused in the handshake (403)."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from tests.attacks.routes import socket_routes
from tests.attacks.sockets import Socket, session_of
from tests.support import factories

pytestmark = pytest.mark.django_db(transaction=True)
PATHS = [f"/{pattern}".replace("<uuid:camera_id>", "{camera}") for pattern in socket_routes()]
ORIGINS = {
    "foreign": b"http://evil.example",
    "a name that begins alike": b"http://testserver.evil.example",
    "null": b"null",
    "none": None,
}


def handshake(path: str, cookie: str | None, origin: bytes | None = b"http://testserver") -> bool:
    """Whether the socket was accepted."""

    async def attempt() -> bool:
        connection = Socket(path, cookie, origin)
        accepted = await connection.connect()
        await connection.disconnect()
        return accepted

    return asyncio.run(attempt())


@pytest.mark.parametrize("path", PATHS)
def test_s18_who_may_and_comes_from_here_is_let_in(path: str) -> None:
    camera = factories.camera()
    user = factories.user(camera.managing_organisation)
    assert handshake(path.format(camera=camera.pk), session_of(user))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", sorted(ORIGINS))
def test_s18_a_foreign_origin_is_refused(path: str, origin: str) -> None:
    camera = factories.camera()
    user = factories.user(camera.managing_organisation)
    assert not handshake(path.format(camera=camera.pk), session_of(user), ORIGINS[origin])


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("cookie", [None, "", "forged" * 5])
def test_s18_nobody_is_refused(path: str, cookie: str | None) -> None:
    assert not handshake(path.format(camera=factories.camera().pk), cookie)


def test_s14_a_live_picture_is_for_those_who_may_watch() -> None:
    camera = factories.camera()
    granted, ended, carded, other = (factories.user() for _ in range(4))
    factories.grant_access(camera, granted.organisation, ("live",))
    factories.grant_access(camera, ended.organisation, ("live",), ended=True)
    factories.grant_access(camera, carded.organisation, ("view", "capture"))
    path = f"/ws/devices/{camera.pk}/live"
    assert handshake(path, session_of(granted))
    for user in (ended, carded, other):
        assert not handshake(path, session_of(user))
    assert not handshake(f"/ws/devices/{uuid4()}/live", session_of(granted))


def test_s18_the_refusal_is_a_403_of_a_real_server() -> None:
    """Through uvicorn's own parser: the handshake answers 403 before anything is accepted."""
    import socket as sockets

    import uvicorn

    from portal.asgi import application

    async def ask(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET /ws/live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Origin: http://127.0.0.1\r\n\r\n"
        )
        line = await asyncio.wait_for(reader.readline(), 20)
        writer.close()
        return line

    async def serve() -> bytes:
        with sockets.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            config = uvicorn.Config(application, lifespan="off", log_level="error", ws="websockets-sansio")
            server = uvicorn.Server(config)
            task = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started:
                await asyncio.sleep(0.05)
            try:
                return await ask(listener.getsockname()[1])
            finally:
                server.should_exit = True
                await task

    assert b" 403 " in asyncio.run(serve())
