"""RTP packets become the pictures they were cut from, whatever a camera's habits; a playing camera is listened to."""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from tests.support.clips import make_clip, write_clip
from tests.support.fake_rtsp import FakeRtsp
from tests.support.policies import LoopbackOnly
from tests.support.rtsp_server import RtspServer, available
from workers.vision.errors import SourceError, SourceFault
from workers.vision.sources import SourceOptions, open_source
from workers.vision.sources import rtp as rtp_module
from workers.vision.sources.h264 import is_progressive
from workers.vision.sources.playing import BUFFER, Login, Playing
from workers.vision.sources.relay import Connection
from workers.vision.sources.rtp import Pictures, is_recovery_point, payload_type
from workers.vision.sources.rtsp import RtspSource
from workers.vision.sources.rtsp_words import Agreed

START = b"\x00\x00\x00\x01"
KEY, DELTA = b"\x65\x88" + b"k" * 300, b"\x41\x9a" + b"d" * 90
SPS, PPS = b"\x67\x64" + b"s" * 9, b"\x68\xee\x3c"


def rtp(payload: bytes, moment: int, *, mark: bool = False, kind: int = 96) -> bytes:
    return struct.pack(">BBHII", 0x80, kind | mark << 7, 0, moment & 0xFFFFFFFF, 1) + payload


def fragments(unit: bytes, moment: int, size: int = 100, *, mark: bool = True) -> list[bytes]:
    """A unit of H.264 in pieces."""
    head, body = unit[0], unit[1:]
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    last = len(pieces) - 1
    return [
        rtp(
            bytes((head & 0xE0 | 28, (at == 0) << 7 | (at == last) << 6 | head & 31)) + piece,
            moment,
            mark=mark and at == last,
        )
        for at, piece in enumerate(pieces)
    ]


def taken(packets: list[bytes], codec: str = "h264") -> list[tuple[bytes, int, bool, bool]]:
    pictures = Pictures(codec, 96)
    for packet in packets:
        pictures.packet(memoryview(b"\xff" + packet + b"\xff"), 1, 1 + len(packet))
    return [(one.data, one.pts, one.is_keyframe, one.corrupt) for one in pictures.ready]


def test_units_fragments_and_groups_make_one_picture() -> None:
    group = b"\x78" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in (SPS, PPS))
    packets = [rtp(group, 9000), *fragments(KEY, 9000), rtp(DELTA, 12600, mark=True)]
    assert taken(packets) == [
        (START + SPS + START + PPS + START + KEY, 0, True, False),
        (START + DELTA, 3600, False, False),
    ]


def test_h265_is_put_together_too() -> None:
    key, parameters = b"\x26\x01\x80" + b"k" * 250, b"\x40\x01" + b"v" * 5
    body = key[2:]
    packets = [
        rtp(b"\x60\x01" + len(parameters).to_bytes(2, "big") + parameters, 0),
        rtp(b"\x62\x01\x93" + body[:100], 0),
        rtp(b"\x62\x01\x13" + body[100:200], 0),
        rtp(b"\x62\x01\x53" + body[200:], 0, mark=True),
        rtp(b"\x02\x01\x80delta", 3600, mark=True),
    ]
    assert taken(packets, "hevc") == [
        (START + parameters + START + key, 0, True, False),
        (START + b"\x02\x01\x80delta", 3600, False, False),
    ]


def test_times_go_on_over_the_wrap_and_backwards_for_b_pictures() -> None:
    moments = [2**32 - 7200, 2**32 - 3600, 3600, 0, 7200]
    found = taken([rtp(DELTA, moment, mark=True) for moment in moments])
    assert [pts for _, pts, _, _ in found] == [0, 3600, 10800, 7200, 14400]


def test_a_camera_that_never_marks() -> None:
    packets = [rtp(SPS, 0), rtp(KEY, 3600), rtp(DELTA, 7200), rtp(DELTA, 10800)]
    assert [data for data, *_ in taken(packets)] == [START + SPS + START + KEY, START + DELTA]


def test_a_camera_that_marks_every_slice_is_understood_from_the_second_picture_on() -> None:
    second = b"\x41\x1a" + b"e" * 50  # not the first of its picture
    packets = [rtp(unit, moment, mark=True) for moment in (0, 3600, 7200, 10800) for unit in (DELTA, second)]
    found = [data for data, *_ in taken(packets)]
    assert found[-2:] == [START + DELTA + START + second] * 2


def test_what_is_lost_makes_a_picture_corrupt_and_only_that() -> None:
    whole = fragments(KEY, 0)
    for lost in range(len(whole)):
        packets = [*(one for at, one in enumerate(whole) if at != lost), rtp(DELTA, 3600, mark=True)]
        found = taken(packets)
        assert (found[-1][0], found[-1][3]) == (START + DELTA, lost == 0)
        assert all(corrupt for *_, corrupt in found[:-1]) or lost not in (0, len(whole) - 1)


def test_extension_sources_padding_and_strangers() -> None:
    head = struct.pack(">BBHII", 0x80 | 0x20 | 0x10 | 2, 96 | 0x80, 0, 0, 1)
    odd = head + b"src1src2" + b"\xbe\xde\x00\x01extn" + DELTA + b"\x00\x00\x03"
    strangers = [
        rtp(DELTA, 0, mark=True, kind=97),
        b"\x40" + rtp(DELTA, 0)[1:],
        rtp(b"", 0),
        b"",
        b"\x80" * 15,
    ]
    assert taken([*strangers, odd]) == [(START + DELTA, 0, False, False)]


@pytest.mark.parametrize("seed", range(20))
def test_noise_never_breaks_out(seed: int) -> None:
    import random

    chance = random.Random(seed)
    good = [*fragments(KEY, 0), rtp(DELTA, 3600, mark=True)]
    for codec in ("h264", "hevc"):
        noisy = [
            bytes(byte ^ (chance.random() < 0.1) * chance.randrange(256) for byte in chance.choice(good))[
                : chance.randrange(1, 120)
            ]
            for _ in range(300)
        ]
        for data, _, _, _ in taken(noisy, codec):
            is_recovery_point(data)


def test_a_picture_without_end_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtp_module, "MOST_PICTURE", 10_000)
    with pytest.raises(SourceError) as caught:
        taken([rtp(b"\x7c\x01x", 0) if at else fragments(KEY, 0)[0] for at in range(1000)])
    assert caught.value.fault is SourceFault.TOO_LARGE


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"\x06\x06\x01\xc4\x80", True),
        (b"\x06\x05\x03abc\x06\x01\xc4\x80", True),
        (b"\x06\x05\xff\x02" + b"x" * 257 + b"\x06\x01\xc4\x80", True),
        (b"\x06\x05\x03abc\x80", False),
        (b"\x06\xff\xff\xff", False),
    ],
)
def test_recovery_points(message: bytes, expected: bool) -> None:
    assert is_recovery_point(START + b"\x09\xf0" + START + message + START + DELTA) is expected
    assert not is_recovery_point(START + DELTA + START + message)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("m=video 0 RTP/AVP 96\r\na=fmtp:96 packetization-mode=1\r\n", 96),
        ("m=audio 0 RTP/AVP 0\r\nm=video 0 RTP/AVP 35\r\n", 35),
        ("m=video 0 RTP/AVP 96\r\na=fmtp:96 packetization-mode=2;x=1\r\n", None),
        ("m=video 0 RTP/AVP 96\r\na=fmtp:96 sprop-max-don-diff=3\r\n", None),
        ("m=video 0 RTP/AVP 96 97\r\n", None),
        ("m=video 0 RTP/AVP 96\r\nm=video 0 RTP/AVP 97\r\n", None),
        ("", None),
    ],
)
def test_descriptions_that_we_can_follow(lines: str, expected: int | None) -> None:
    assert payload_type("v=0\r\n" + lines) == expected


def test_interlaced_pictures_stay_with_ffmpeg() -> None:
    def sets(**options: str) -> bytes:
        clip = make_clip(frames=5, gop=5, container="h264", options=options)
        return next(
            START + unit for unit in re.split(rb"\x00\x00\x00?\x01", clip) if unit and unit[0] & 31 == 7
        )

    assert is_progressive(sets())
    assert not is_progressive(sets(**{"x264-params": "interlaced=1"}))
    assert not is_progressive(b"")
    assert not is_progressive(START + b"\x67\x42")


# A camera that plays


@contextlib.contextmanager
def playing(shown: bytes = b"", **agreed: object) -> Iterator[tuple[Playing, socket.socket]]:
    ours, camera = socket.socketpair()
    with ours, camera:
        connection = Connection(ours, shown, Agreed(**agreed), "rtsp://127.0.0.1:9/x", "77")  # type: ignore[arg-type]
        login = Login("admin", "secret", connection.agreed.challenges)
        yield Playing(connection, Pictures("h264", 96), login, channel=2, timeout=2.0), camera


def framed(packet: bytes, channel: int = 2) -> bytes:
    return b"$" + bytes((channel,)) + len(packet).to_bytes(2, "big") + packet


def pictures_of(data: bytes, shown: bytes = b"") -> tuple[list[bytes], bytes]:
    """The pictures of a camera that sends this and hangs up, and what it heard."""
    heard = bytearray()

    def camera_side(camera: socket.socket) -> None:
        with contextlib.suppress(OSError):
            camera.sendall(data)
            camera.shutdown(socket.SHUT_WR)
            while piece := camera.recv(4096):
                heard.extend(piece)

    with playing(shown) as (source, camera):
        sender = threading.Thread(target=camera_side, args=(camera,))
        sender.start()
        try:
            found = [picture.data[4:] for picture in source]
        finally:
            source._socket.shutdown(socket.SHUT_RDWR)
            sender.join()
    return found, bytes(heard)


def test_what_ffmpeg_was_shown_comes_first_and_cuts_lie_anywhere() -> None:
    units = [DELTA + bytes((number,)) * 700 for number in range(40)]
    whole = b"".join(
        framed(packet) for number, unit in enumerate(units) for packet in fragments(unit, number * 3600)
    )
    for cut in (0, 3, 5000, len(whole) - 1):
        found, _ = pictures_of(whole[cut:], whole[:cut])
        assert found == units


def test_more_than_fits_at_once() -> None:
    units = [DELTA + bytes((number,)) * 60_000 for number in range(30)]
    whole = b"".join(framed(rtp(unit, number * 3600, mark=True)) for number, unit in enumerate(units))
    assert len(whole) > 4 * BUFFER
    assert pictures_of(whole)[0] == pictures_of(b"", whole)[0] == units


def test_words_between_pictures_are_answered_and_noise_is_left_out() -> None:
    request = b"OPTIONS rtsp://x/ RTSP/1.0\r\nCSeq: 5\r\nContent-Length: 3\r\n\r\nabc"
    odd = b"ANNOUNCE rtsp://x/ RTSP/1.0\r\nCSeq: 6\r\n\r\n"
    answer = b"RTSP/1.0 200 OK\r\nCSeq: 3\r\n\r\n"
    one = framed(rtp(DELTA, 0, mark=True))
    found, heard = pictures_of(
        one + request + one + odd + b"\r\n" + answer + one + b"\x00noise$" + one + framed(b"other", 9) + one
    )
    assert found == [DELTA] * 5
    assert heard == b"RTSP/1.0 200 OK\r\nCSeq: 5\r\n\r\nRTSP/1.0 501 Not Implemented\r\nCSeq: 6\r\n\r\n"


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (b"REDIRECT rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\nLocation: rtsp://root:pw@10.0.0.1/\r\n\r\n", "refused"),
        (b"RTSP/1.0 302 Moved\r\nLocation: rtsp://10.0.0.1/\r\n\r\n", "refused"),
        (b"RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n", "too_large"),
        (b"X: " + b"a" * 40_000, "too_large"),
        (b"HTTP/1.1 302 Found\r\n\r\n", "corrupt"),
    ],
)
def test_words_that_end_a_playing_camera(words: bytes, fault: str) -> None:
    with pytest.raises(SourceError) as caught:
        pictures_of(framed(rtp(DELTA, 0, mark=True)) + words)
    assert caught.value.fault == fault


def test_the_session_is_kept_alive_with_an_answer_to_the_challenge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.vision.sources.playing._ALIVE_AT_LEAST", 0.0)
    asked = 'Digest realm="camera", nonce="{}", qop="auth,auth-int", opaque="o"'
    one = framed(rtp(DELTA, 0, mark=True))
    with playing(timeout=0.1, methods="OPTIONS, GET_PARAMETER", challenges=[asked.format("n1")]) as (
        source,
        camera,
    ):
        camera.settimeout(5)
        pictures = iter(source)

        def heard() -> str:
            time.sleep(0.06)
            camera.sendall(one)
            next(pictures)
            return camera.recv(4096).decode()

        first = heard()
        assert first.startswith(
            "GET_PARAMETER rtsp://127.0.0.1:9/x RTSP/1.0\r\nCSeq: 1001\r\nSession: 77\r\n"
        )
        assert 'nonce="n1"' in first
        assert "nc=000f4241" in first
        assert "secret" not in first
        refusal = f"RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: {asked.format('n2')}\r\n\r\n"
        camera.sendall(refusal.encode() + one)
        next(pictures)
        assert 'nonce="n2"' in heard()


def test_logins() -> None:
    # The example of RFC 2617, 3.5, without qop as RFC 2069 has it.
    known = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    login = Login("Mufasa", "Circle Of Life", ["Basic realm=x", known])
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in login.header("GET", "/dir/index.html")
    assert Login("a", "b", ["Basic realm=x", 'Digest algorithm="MD4"']).header("OPTIONS", "/") == "Basic YTpi"
    assert Login("a", "b", ["Negotiate"]).header("OPTIONS", "/") == ""


def test_bytes_without_pictures_are_a_timeout() -> None:
    with playing() as (source, camera):
        source._timeout = 0.05
        source._pictured_at = time.monotonic() - 1
        camera.sendall(framed(b"nothing"))
        with pytest.raises(TimeoutError):
            next(iter(source))


def test_the_clock_of_the_camera() -> None:
    pictures = Pictures("h264", 96)
    for moment in (90_000, 93_600):
        packet = rtp(DELTA, moment, mark=True)
        pictures.packet(memoryview(packet), 0, len(packet))
    assert pictures.clock(0) is None
    seconds = 1_800_000_000
    report = struct.pack(">BBHIIII", 0x80, 200, 6, 1, seconds + 2_208_988_800, 1 << 31, 91_800)
    pictures.report(memoryview(report), 0, len(report))
    assert [pictures.clock(one.pts) for one in pictures.ready] == [seconds + 0.48, seconds + 0.52]


def test_a_fake_camera_is_read_by_us_and_says_the_same_as_ffmpeg() -> None:
    def watch(monkey: pytest.MonkeyPatch | None = None) -> list[tuple[bool, bytes]]:
        with FakeRtsp() as camera, open_source(camera.url, policy=LoopbackOnly(camera.port)) as source:
            assert isinstance(source, RtspSource)
            assert (source._playing is None) == (monkey is not None)
            return [(one.is_keyframe, bytes(one.native)) for one in itertools.islice(source, 10)]

    ours = watch()
    with pytest.MonkeyPatch.context() as monkey:
        monkey.setattr("workers.vision.sources.rtsp.payload_type", lambda text: None)
        theirs = watch(monkey)

    def units(packets: list[tuple[bool, bytes]]) -> list[tuple[bool, list[bytes]]]:
        return [
            (key, [unit for unit in re.split(rb"\x00\x00\x00?\x01", data) if unit]) for key, data in packets
        ]

    assert units(ours) == units(theirs)


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_a_real_server_gives_what_it_was_given(tmp_path: Path, codec: str) -> None:
    if reason := available():
        pytest.skip(reason)
    encoder = {"h264": "libx264", "h265": "libx265"}[codec]
    clip = write_clip(tmp_path / "loop.ts", frames=50, gop=10, codec=encoder)
    with av.open(str(clip)) as container:
        sizes = [packet.is_keyframe for packet in container.demux(video=0) if packet.size]
    with (
        RtspServer(clip, codec=codec) as server,
        open_source(server.url, policy=LoopbackOnly(server.port), options=SourceOptions()) as source,
    ):
        assert isinstance(source, RtspSource)
        assert source._playing is not None
        packets = list(itertools.islice(source, 60))
        start = next(index for index, packet in enumerate(packets) if packet.is_keyframe)
        assert [packet.is_keyframe for packet in packets[start : start + 30]] == sizes[:30]
        assert not any(packet.corrupt for packet in packets)
        frames = [source.decode_keyframe(packet) for packet in packets if packet.is_keyframe]
    assert all(frame is not None and (frame.width, frame.height) == (320, 180) for frame in frames)
    assert len(frames) >= 3


def test_a_camera_that_babbles_costs_little() -> None:
    one = framed(rtp(DELTA, 0, mark=True))
    began = time.process_time()
    found, _ = pictures_of(
        (b"\r\n" + framed(b"")) * 20_000 + (b"\r\n$\x02\x00\x00") * 20_000 + b"\x01" * 300_000 + one
    )
    assert found == [DELTA]
    assert time.process_time() - began < 10
