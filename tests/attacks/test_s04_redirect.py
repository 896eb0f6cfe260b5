"""S04, S07: a camera that sends FFmpeg elsewhere is left; the other address sees nobody."""

from __future__ import annotations

import itertools
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

import av
import av.error
import pytest

from tests.support.fake_rtsp import FakeRtsp, Listener
from tests.support.policies import LoopbackOnly
from workers.vision.errors import SourceError, SourceFault
from workers.vision.sources import SourceOptions, open_source
from workers.vision.sources.relay import Relay, is_own
from workers.vision.sources.rtsp import RTSP_PROTOCOLS
from workers.vision.sources.rtsp_words import ServerWords

METHODS = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY")


def moved(port: int, status: int = 302) -> bytes:
    return (
        f"RTSP/1.0 {status} Moved\r\nCSeq: {{cseq}}\r\n"
        f"Location: rtsp://root:hidden@127.0.0.1:{port}/x\r\n\r\n"
    ).encode()


def refused(server: FakeRtsp, transport: Literal["tcp", "udp"] = "tcp") -> SourceError:
    options = SourceOptions(transport, connect_timeout=5, read_timeout=5)
    with pytest.raises(SourceError) as caught:
        open_source(server.url, policy=LoopbackOnly(server.port), options=options).close()
    return caught.value


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if condition():
            return True
        time.sleep(0.01)
    return False


def is_open(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def in_pieces(words: ServerWords, data: bytes, size: int) -> bytes:
    return b"".join(words.take(data[place : place + size]) for place in range(0, len(data), size))


def allow_rtsp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away FFmpeg's own check of a redirect's scheme, so that the relay stands alone."""
    for transport, allowed in RTSP_PROTOCOLS.items():
        monkeypatch.setitem(RTSP_PROTOCOLS, transport, f"{allowed},rtsp")


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE"])
def test_s04_the_bait_works_without_the_relay(method: str) -> None:
    with Listener() as target, FakeRtsp(answers={method: moved(target.port)}) as camera:
        allowed = {"protocol_whitelist": "rtp,tcp,rtsp", "rtsp_transport": "tcp"}
        with pytest.raises((av.error.FFmpegError, OSError)):
            av.open(camera.url, options=allowed, timeout=5)
    assert target.visits == 1


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("method", METHODS)
def test_s04_a_redirect_is_not_followed(
    method: str, transport: Literal["tcp", "udp"], monkeypatch: pytest.MonkeyPatch
) -> None:
    allow_rtsp(monkeypatch)
    with Listener() as target, FakeRtsp(answers={method: moved(target.port)}) as camera:
        error = refused(camera, transport)
    assert target.visits == 0
    assert error.fault is SourceFault.REFUSED


@pytest.mark.parametrize("status", [300, 301, 305, 399])
def test_s04_the_redirect_is_told_to_the_administrator_only(status: int) -> None:
    method = "DESCRIBE"
    with Listener() as target, FakeRtsp(answers={method: moved(target.port, status)}) as camera:
        error = refused(camera)
    assert target.visits == 0
    assert error.fault is SourceFault.REFUSED
    assert error.detail == f"redirect to rtsp://root:***@127.0.0.1:{target.port}/x"
    assert str(target.port) not in error.message
    assert camera.visits == 1


@pytest.mark.parametrize(
    "trick",
    [
        b"\r\n\n",  # empty lines before the answer
        b"$\x01\x00\x04abcd",  # a packet before it
        b"RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
        b"SET_PARAMETER * RTSP/1.0\r\nCSeq: 9\r\n\r\n",
    ],
)
def test_s04_a_redirect_behind_something_else(trick: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    allow_rtsp(monkeypatch)
    with Listener() as target, FakeRtsp() as camera:
        camera.answers["DESCRIBE"] = trick + moved(target.port)
        error = refused(camera)
    assert target.visits == 0
    assert error.fault is SourceFault.REFUSED


def test_s04_over_udp_nothing_is_sent_to_where_the_camera_points() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.3", 0))
        other.setblocking(False)
        port = other.getsockname()[1]
        setup = (
            "RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\nSession: 1\r\n"
            f"Transport: RTP/AVP;unicast;client_port=5000-5001;server_port={port}-{port};source=127.0.0.3\r\n\r\n"
        )
        play = b"RTSP/1.0 404 Not Found\r\nCSeq: {cseq}\r\n\r\n"
        with FakeRtsp(answers={"SETUP": setup.encode(), "PLAY": play}) as camera:
            error = refused(camera, "udp")
        assert error.fault is SourceFault.NOT_FOUND
        assert "PLAY" in [method for method, _, _ in camera.requests]
        with pytest.raises(BlockingIOError):
            other.recv(2000)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (b"REDIRECT rtsp://127.0.0.1/x RTSP/1.0\r\nCSeq: 1\r\nLocation: rtsp://b/\r\n\r\n", "refused"),
        # Lengths that two readers would take differently.
        (b"RTSP/1.0 200 OK\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\nRTSP/", "corrupt"),
        (b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n", "corrupt"),
        (b"RTSP/1.0 200 OK\r\nContent-Length: 0x10\r\n\r\n", "corrupt"),
        (b"RTSP/1.0 200 OK\r\nContent-Length: 9999999999999\r\n\r\n", "too_large"),
        (b"RTSP/1.0 200 OK\r\nX: " + b"a" * 40000, "too_large"),
        (b"RTSP/1.0 +302 OK\r\nLocation: rtsp://b/\r\n\r\n", "corrupt"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://b/\r\n\r\n", "corrupt"),
    ],
)
def test_s04_words_that_are_refused(answer: bytes, fault: str) -> None:
    with pytest.raises(SourceError) as caught:
        in_pieces(ServerWords("127.0.0.1"), answer, 7)
    assert caught.value.fault == fault


def test_s04_answers_are_said_again_without_what_ffmpeg_could_misread() -> None:
    words = ServerWords("10.0.0.7")
    answer = (
        b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nLocation: rtsp://b/\r\n$\x00odd\r\n folded: x\r\nnonsense\r\n"
        b"X-A: a\x00\rb\r\nTransport: RTP/AVP;unicast;source=169.254.169.254;server_port=1-2\r\n"
        b"content-length : 3\r\n\r\nabc"
    )
    assert in_pieces(words, answer, 1) == (
        b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nX-A: ab\r\n"
        b"Transport: RTP/AVP;unicast;server_port=1-2;source=10.0.0.7\r\nContent-Length: 3\r\n\r\nabc"
    )


def test_s04_packets_pass_unread_once_play_is_granted() -> None:
    words = ServerWords("10.0.0.7")
    assert words.take(b"$\x00\x00\x02") == b""
    assert words.take(b"hi") == b"$\x00\x00\x02hi"
    words.play_is_asked = True
    assert words.take(b"RTSP/1.0 200 OK\r\n\r\n$\x00") == b"RTSP/1.0 200 OK\r\n\r\n$\x00"
    assert words.take(b"anything") == b"anything"


def test_s04_the_relay_takes_nobody_but_this_process() -> None:
    with Listener() as camera:
        relay = Relay("127.0.0.1", camera.port, SourceOptions())
        child = os.fork()
        if child == 0:
            # Everything inherited is closed: what is opened next is a stranger's.
            os.closerange(3, 65536)
            stranger = socket.create_connection((relay.host, relay.port))
            os._exit(0 if stranger.recv(1) == b"" else 1)
        assert os.waitpid(child, 0)[1] == 0
        own = socket.create_connection((relay.host, relay.port))
        with own:
            assert wait_until(lambda: not is_open(relay.port))
        relay.close()


def test_s04_own_connections_are_known() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as caller,
        listener.accept()[0] as taken,
    ):
        assert is_own(taken)
        caller.close()
        assert not is_own(taken)


class Turning(FakeRtsp):
    """Plays for a while, then says something between two packets."""

    words = b""

    def _reply(self, caller: socket.socket, text: str) -> bool:
        return text.startswith("RTSP/") or super()._reply(caller, text)  # FFmpeg answers requests

    def _play(self, caller: socket.socket) -> None:
        class Wire:
            count = 0

            def sendall(self, data: bytes) -> None:
                self.count += 1
                caller.sendall(data + (words if self.count == 60 else b""))

            def __getattr__(self, name: str) -> object:
                return getattr(caller, name)

        words = self.words
        super()._play(Wire())  # type: ignore[arg-type]


@pytest.mark.parametrize("is_ours", [True, False])
@pytest.mark.parametrize(
    "words",
    [
        "REDIRECT rtsp://127.0.0.1:{port}/x RTSP/1.0\r\nCSeq: 1\r\nLocation: rtsp://127.0.0.1:{port}/x\r\n\r\n",
        "RTSP/1.0 302 Moved\r\nCSeq: 9\r\nLocation: rtsp://root:hidden@127.0.0.1:{port}/x\r\n\r\n",
    ],
)
def test_s04_a_redirect_while_it_plays(words: str, is_ours: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads the packets, we or FFmpeg behind the relay."""
    allow_rtsp(monkeypatch)
    if not is_ours:
        monkeypatch.setattr("workers.vision.sources.rtsp.payload_type", lambda description: None)
    with Listener() as target, Turning() as camera:
        assert isinstance(camera, Turning)
        camera.words = words.format(port=target.port).encode()
        options = SourceOptions(connect_timeout=5, read_timeout=5)
        with open_source(camera.url, policy=LoopbackOnly(camera.port), options=options) as source:
            if is_ours:
                with pytest.raises(SourceError) as caught:
                    list(source)
                assert caught.value.fault is SourceFault.REFUSED
                assert "hidden" not in caught.value.detail
            else:
                with suppress(SourceError):
                    assert sum(1 for _ in itertools.islice(source, 120)) <= 120
    assert target.visits == 0
    assert camera.visits == 1


def test_s04_thirty_openings_leave_nothing_and_say_goodbye() -> None:
    with FakeRtsp(login=("admin", "p@ss")) as camera:
        url = camera.url.replace("p@ss", "p%40ss")

        def watch() -> int:
            with open_source(url, policy=LoopbackOnly(camera.port)) as source:
                return sum(packet.size > 0 for packet in itertools.islice(source, 6))

        assert watch() == 6
        before = (len(os.listdir("/proc/self/fd")), threading.active_count())
        assert [watch() for _ in range(30)] == [6] * 30
        assert (len(os.listdir("/proc/self/fd")), threading.active_count()) <= before
    methods = [method for method, _, _ in camera.requests]
    assert methods.count("TEARDOWN") == methods.count("PLAY") == 31
    assert camera.visits == 31


def test_s04_a_wrong_password_is_told_as_such() -> None:
    with FakeRtsp(login=("admin", "right")) as camera:
        camera.login = ("admin", "other")
        url = f"rtsp://admin:right@127.0.0.1:{camera.port}/camera"
        with pytest.raises(SourceError) as caught:
            open_source(url, policy=LoopbackOnly(camera.port))
    assert caught.value.fault is SourceFault.UNAUTHORISED


def test_s04_abort_ends_a_reader() -> None:
    with FakeRtsp() as camera:
        with open_source(camera.url, policy=LoopbackOnly(camera.port)) as source:
            stopper = threading.Timer(0.3, source.abort)
            stopper.start()
            with pytest.raises(SourceError) as caught:
                list(source)
            stopper.join()
        assert caught.value.fault is SourceFault.CLOSED


# RTMP


def text(value: str) -> bytes:
    return b"\x02" + len(value).to_bytes(2, "big") + value.encode()


def named(name: str, value: bytes) -> bytes:
    return len(name).to_bytes(2, "big") + name.encode() + value


def rejection(command: str, target: str) -> bytes:
    """An AMF command with `ex.redirect`, as servers use it to send players elsewhere, in one RTMP chunk."""
    number = b"\x00\x3f\xf0\0\0\0\0\0\0"
    code = b"\x00\x40\x72\xe0\0\0\0\0\0"  # 302
    end = b"\0\0\x09"
    detail = b"\x03" + named("code", code) + named("redirect", text(target)) + end
    info = (
        b"\x03"
        + named("level", text("error"))
        + named("code", text("NetConnection.Connect.Rejected"))
        + named("description", text("[ code=302 ]"))
        + named("ex", detail)
        + end
    )
    body = text(command) + number + b"\x05" + info
    head = b"\x03\0\0\0" + len(body).to_bytes(3, "big") + b"\x14\0\0\0\0"
    pieces = [body[place : place + 128] for place in range(0, len(body), 128)]
    return head + b"\xc3".join(pieces)


class FakeRtmp(Listener):
    """Shakes hands, then answers the first command with the given bytes."""

    answer: Callable[[], bytes]

    def visit(self, caller: socket.socket) -> None:
        with caller, suppress(OSError):
            caller.settimeout(5)
            hello = b""
            while len(hello) < 1537:
                hello += caller.recv(4096)
            caller.sendall(b"\x03" + bytes(1536) + hello[1:1537])
            rest = hello[1537:]
            while len(rest) < 1540:
                rest += caller.recv(4096)
            caller.sendall(self.answer())
            self.asked = rest
            while caller.recv(4096):
                pass


@pytest.mark.parametrize("command", ["_error", "onStatus", "_result", "close"])
def test_s04_ffmpegs_rtmp_client_follows_no_redirect(command: str) -> None:
    with Listener() as target, FakeRtmp() as camera:
        camera.answer = lambda: rejection(command, f"rtmp://127.0.0.1:{target.port}/live")
        options = SourceOptions(connect_timeout=2, read_timeout=2)
        with pytest.raises(SourceError):
            open_source(
                f"rtmp://127.0.0.1:{camera.port}/live/x", policy=LoopbackOnly(camera.port), options=options
            )
    assert target.visits == 0
    assert b"connect" in camera.asked
