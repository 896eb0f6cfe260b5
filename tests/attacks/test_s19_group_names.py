"""S19: the groups a socket hears are derived by the server; whatever names a client sends are ignored.

Messages and queries are fuzzed: random text and bytes, and what subscribes elsewhere (JSON with names of another
bureau's groups under the usual words). After each the other bureau is told something, then the own one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from asgiref.sync import sync_to_async
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as fuzzing
from hypothesis import strategies as st

from apps.accounts.permissions import principal_of_user
from apps.core import outbox
from apps.core.ids import uuid7
from apps.core.realtime.hub import hub
from apps.core.realtime.push import push
from apps.core.realtime.topics import hearing_of
from apps.devices.models import Camera
from tests.attacks.sockets import Socket, session_of
from tests.support import factories

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = (
    "subscribe",
    "join",
    "group",
    "groups",
    "group_add",
    "topic",
    "topics",
    "channel",
    "add",
    "type",
    "m",
    "room",
)
FUZZ = fuzzing(
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking would wait at the sockets for minutes
    suppress_health_check=list(HealthCheck),
    database=None,
)
Told = tuple[Camera, list[str]]


def fuzz(strategy: st.SearchStrategy[Any], examples: int, step: Callable[[Any], Any]) -> None:
    """Run `step` with this many examples."""

    def one(example: Any) -> None:
        step(example)

    fuzzing(FUZZ, max_examples=examples)(given(strategy)(one))()


def groups_of(camera: Camera, kind: Any, user: Any) -> list[str]:
    """Every name under which somebody of the camera's bureau hears something."""
    home = camera.managing_organisation_id
    return [f"m:{home}", f"c:{camera.pk}", f"o:{home}", f"s:{camera.pk}:{kind.pk}", f"u:{user.pk}"]


def messages(names: list[str]) -> st.SearchStrategy[str | bytes]:
    """What a client could send: noise, and attempts to subscribe to these names."""
    name = st.sampled_from([*names, "*", "m:*", "#", "vantage:push", f"{names[0]}\x00", names[0].upper()])
    value = name | st.lists(name, max_size=3) | st.dictionaries(st.sampled_from(WORDS), name, max_size=3)
    plea = st.dictionaries(st.sampled_from(WORDS), value | st.sampled_from(WORDS), min_size=1, max_size=4)
    text = st.one_of(
        name, plea.map(json.dumps), st.lists(plea, max_size=3).map(json.dumps), st.text(max_size=40)
    )
    return st.one_of(text, text.map(lambda one: one.encode("utf-8", "surrogatepass")), st.binary(max_size=40))


def tell(camera: Camera, topics: list[str]) -> str:
    """A push through outbox and relay, as the scheduler does it; its id."""
    mark = str(uuid7())
    push("camera.state", camera.pk, {"id": mark}, topics)
    outbox.relay_once()
    return mark


async def send(connection: Socket, message: str | bytes) -> None:
    """As text where it is text."""
    await (connection.send(text=message) if isinstance(message, str) else connection.send(data=message))


async def heard_until(connection: Socket, mark: str) -> list[str]:
    """The ids of all pushes up to this one; the socket stays open."""
    found: list[str] = []
    while mark not in found:
        found += [one["summary"]["id"] for one in (await connection.receive(15))["pushes"]]
    return found


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """One loop for all examples of a test, so that they share the socket."""
    with asyncio.Runner() as found:
        yield found


@pytest.fixture
def bureaus() -> tuple[Any, Told, Told]:
    """A user, the own groups, and all groups of another bureau."""
    camera, theirs, kind = factories.camera(), factories.camera(), factories.event_type()
    user, stranger = (
        factories.user(camera.managing_organisation),
        factories.user(theirs.managing_organisation),
    )
    own = [f"m:{camera.managing_organisation_id}"]
    return user, (camera, own), (theirs, groups_of(theirs, kind, stranger))


def test_s19_fuzzed_messages_subscribe_to_nothing(runner: asyncio.Runner, bureaus: Any) -> None:
    user, own, theirs = bureaus
    derived = hearing_of(principal_of_user(user)).topics
    assert derived.isdisjoint(theirs[1])
    connection = Socket("/ws/live", session_of(user))

    async def begin() -> None:
        assert await connection.connect()
        await connection.receive()

    async def step(sent: list[str | bytes]) -> None:
        for message in sent:
            await send(connection, message)
        foreign = await sync_to_async(tell)(*theirs)
        wanted = await sync_to_async(tell)(*own)
        assert foreign not in await heard_until(connection, wanted)
        assert [member.topics for member in hub().members] == [derived]

    runner.run(begin())
    try:
        fuzz(st.lists(messages(theirs[1]), min_size=1, max_size=6), 50, lambda sent: runner.run(step(sent)))
    finally:
        runner.run(connection.disconnect())


def test_s19_fuzzed_queries_subscribe_to_nothing(runner: asyncio.Runner, bureaus: Any) -> None:
    user, own, theirs = bureaus
    cookie, derived = session_of(user), hearing_of(principal_of_user(user)).topics
    name = st.sampled_from(theirs[1]) | st.text(max_size=20)
    pairs = st.lists(
        st.tuples(st.sampled_from([*WORDS, "since", "deflate", "user", "organisation"]), name), max_size=4
    )

    async def visit(query: list[tuple[str, str]]) -> None:
        connection = Socket(f"/ws/live?{urlencode(query, errors='replace')}", cookie)
        assert await connection.connect()
        assert (await connection.receive())["pushes"] == []
        assert [member.topics for member in hub().members] == [derived]
        foreign = await sync_to_async(tell)(*theirs)
        wanted = await sync_to_async(tell)(*own)
        assert foreign not in await heard_until(connection, wanted)
        await connection.disconnect()

    fuzz(pairs, 12, lambda query: runner.run(visit(query)))


@asynccontextmanager
async def holder(path: Path, asked: list[Any]) -> AsyncIterator[None]:
    """A stream holder that notes every line it gets, and sends bytes for ever."""

    async def noting(reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            asked.append(json.loads(line))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(noting(reader))
        writer.write(b'{"container": "mpegts"}\n')
        try:
            while True:
                writer.write(b"\x47" * 188)
                await writer.drain()
                await asyncio.sleep(0.05)
        except (ConnectionError, asyncio.CancelledError):
            task.cancel()
            writer.close()

    path.parent.mkdir(parents=True, exist_ok=True)
    server = await asyncio.start_unix_server(serve, path)
    try:
        yield
    finally:
        server.close()


def test_s19_fuzzed_messages_open_no_other_camera(
    runner: asyncio.Runner, bureaus: Any, settings: Any, tmp_path: Path
) -> None:
    user, (camera, _own), (theirs, names) = bureaus
    for one in (camera, theirs):
        one.streams.create(role="main", address=f"rtsp://10.1.2.3/{one.pk}")
    settings.VANTAGE_LIVE_SOCKET = str(tmp_path / "live.sock")
    sent: list[str | bytes] = [
        json.dumps({"camera": str(theirs.pk)}),
        json.dumps({"stream_url": "rtsp://10.9.9.9/"}),
    ]
    fuzz(st.lists(messages(names), min_size=20, max_size=20), 3, sent.extend)
    asked: list[Any] = []
    path, cookie = f"/ws/devices/{camera.pk}/live?camera={theirs.pk}&camera_id={theirs.pk}", session_of(user)

    async def scenario() -> int:
        async with holder(tmp_path / "live.sock", asked):
            connection = Socket(path, cookie)
            assert await connection.connect()
            chunks = 0
            for message in sent:
                await send(connection, message)
                chunks += (await connection.receive()).count(b"\x47") > 0
            await connection.disconnect()
            return chunks

    assert runner.run(scenario()) == len(sent)
    assert [line["camera"] for line in asked] == [str(camera.pk)]
    assert str(theirs.pk) not in json.dumps(asked)


@pytest.mark.parametrize("since", ["9" * 400, "-1", "²", "0x1", "%00", "1;drop"])
def test_s19_a_strange_resume_number_breaks_nothing(since: str, runner: asyncio.Runner) -> None:
    cookie = session_of(factories.user())

    async def scenario() -> Any:
        connection = Socket(f"/ws/live?since={quote(since)}", cookie)
        accepted = await connection.connect()
        hello = await connection.receive()
        await connection.disconnect()
        return accepted, hello["pushes"]

    assert runner.run(scenario()) == (True, [])
