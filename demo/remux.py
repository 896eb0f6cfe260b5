"""A clip's packets kept in memory and written again and again with timestamps that never jump."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

_MICRO = Fraction(1, 1000)


@dataclass(frozen=True)
class LiveClip:
    """Encoded frames of one clip in order (no reordering: the clips have no B-frames)."""

    path: Path
    packets: tuple[bytes, ...]
    keyframes: tuple[int, ...]
    rate: int

    @classmethod
    def read(cls, path: Path) -> LiveClip:
        """Reads every packet of the video once; ValueError when the clip does not start with a keyframe."""
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            rate = int(float(stream.average_rate or 12))  # PyAV's own rational is no int() from 19 on
            packets = [packet for packet in container.demux(stream) if packet.size]
            keys = tuple(number for number, packet in enumerate(packets) if packet.is_keyframe)
            data = tuple(bytes(packet) for packet in packets)
        if not keys or keys[0] != 0:
            raise ValueError(f"{path.name} does not start with a keyframe")
        return cls(path, data, keys, rate)

    def frames_at(self, seconds: float) -> int:
        """Number of the frame that is due at ``seconds`` since the world began."""
        return int(seconds * self.rate)

    def keyframe_before(self, number: int) -> int:
        """The last frame at or before ``number`` with which a decoder can start."""
        loop, place = divmod(number, len(self.packets))
        return loop * len(self.packets) + self.keyframes[bisect.bisect_right(self.keyframes, place) - 1]


class _Pipe:
    """A file object that PyAV writes to and the streamer empties."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keeps what the muxer wrote."""
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """Everything written since the last call."""
        joined = b"".join(self._parts)
        self._parts.clear()
        return joined


class Muxer:
    """One client's container: FLV or MPEG-TS over the packets of a clip, one timeline over all loops."""

    def __init__(self, clip: LiveClip, form: str) -> None:
        self._clip, self._pipe = clip, _Pipe()
        options = (
            {"flvflags": "no_duration_filesize+no_metadata"}
            if form == "flv"
            else {"mpegts_flags": "resend_headers"}
        )
        self._source = av.open(str(clip.path))
        self._output = av.open(self._pipe, "w", format="flv" if form == "flv" else "mpegts", options=options)
        self._output.flags |= av.container.Flags.flush_packets.value
        self._stream = self._output.add_stream_from_template(self._source.streams.video[0])

    def write(self, numbers: Iterable[int], first: int) -> bytes:
        """The bytes for these frames; timestamps count from ``first`` in milliseconds."""
        clip = self._clip
        for number in numbers:
            place = number % len(clip.packets)
            packet = av.Packet(clip.packets[place])
            packet.stream = self._stream
            packet.time_base = _MICRO
            packet.pts = packet.dts = round((number - first) * 1000 / clip.rate)
            packet.duration = round(1000 / clip.rate)
            packet.is_keyframe = place in clip.keyframes
            self._output.mux_one(packet)
        return self._pipe.take()

    def close(self) -> None:
        """Frees both containers."""
        self._output.close()
        self._source.close()
