"""What every source is: packets in order, a decoder on demand, and a close that always happens."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any

from workers.vision.frames import Frame


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What the stream says of itself. fps is 0.0 where unknown; codec is FFmpeg's name (h264, hevc …)."""

    codec: str
    width: int
    height: int
    fps: float
    has_audio: bool
    live: bool


@dataclass(slots=True, eq=False)
class VideoPacket:
    """One demuxed video packet.

    pts: seconds on the stream's clock or None. time: UTC, never goes back. size: bytes.
    corrupt: the demuxer flagged it. native: the av.Packet, or the path of an image of a folder.
    """

    index: int
    is_keyframe: bool
    pts: float | None
    time: datetime
    size: int
    corrupt: bool
    native: Any


class VideoSource(ABC):
    """An open source. Use it as a context manager: leaving it frees descriptors, threads and memory.

    Iterating gives VideoPacket in decoding order; the end of the iteration is the end of the stream.
    Every failure is a SourceError.
    """

    info: StreamInfo
    damaged: bool = False
    """decode() met damage and no keyframe since."""

    def __enter__(self) -> VideoSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def __iter__(self) -> Iterator[VideoPacket]:
        """Video packets until the end of the stream."""

    @abstractmethod
    def decode(self, packet: VideoPacket, *, want: bool = True) -> Frame | None:
        """Decode in sequence (every packet must be passed); the newest frame that came out, or None.

        After damage every frame up to the next keyframe is marked corrupt (see damaged). want=False keeps
        the decoder going but spares the conversion of a picture that nobody is due for.
        """

    def forget(self) -> None:  # noqa: B027 - image folders have nothing to forget
        """Before going on with a keyframe after packets were left out: what decode() still holds is of before."""

    @abstractmethod
    def decode_keyframe(self, packet: VideoPacket) -> Frame | None:
        """Decode one keyframe alone, at once, with a decoder that streams share; None if it is damaged."""

    @abstractmethod
    def abort(self) -> None:
        """Make the iteration end soon with SourceFault.CLOSED; safe from any thread, never waits."""

    @abstractmethod
    def close(self) -> None:
        """Free everything. May be called twice; only by the thread that iterates (others call abort)."""

    def set_gather(self, seconds: float | None) -> bool:
        """How long arriving bytes may wait to come together; None for what suits a viewer. Safe from any thread.

        True where the source then sleeps that long between its reads; else its reader may.
        """
        return False

    @property
    def clock_offset(self) -> float | None:
        """Seconds by which the far end's clock is ahead of ours, where the protocol tells."""
        return None

    @property
    def native_stream(self) -> Any | None:
        """The av video stream that a remuxer copies its parameters from, or None (image folders)."""
        return None
