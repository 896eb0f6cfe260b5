"""Decoders for single keyframes, shared by all streams of a process.

A decoder of its own costs a stream about 12 MB; as keyframes do not depend on one another, streams with the
same codec and parameters can take turns.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import OrderedDict

import av
import av.error
from av.codec.context import CodecContext, ThreadType
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from workers.vision.frames import Image
from workers.vision.sources.convert import PictureConverter

KEPT = 2
"""Pictures of each decoder whose memory is used again."""

_Key = tuple[str, bytes, int, int]


class _Decoder:
    def __init__(self, key: _Key) -> None:
        name, extradata, width, height = key
        context = CodecContext.create(name, "r")
        assert isinstance(context, VideoCodecContext)
        if extradata:
            context.extradata = extradata
        if width and height:
            context.width, context.height = width, height
        prepare(context)
        self.context = context
        self.converter = PictureConverter(keep=KEPT)

    def decode(self, packet: av.Packet[VideoStream]) -> Image | None:
        """One keyframe in, its picture out; None where the decoder reports damage."""
        try:
            frames = self.context.decode(packet)
            if not frames:
                frames = self.context.decode(None)
        except av.error.FFmpegError:
            return None
        finally:
            with contextlib.suppress(av.error.FFmpegError):
                self.context.flush_buffers()
        if not frames or frames[-1].is_corrupt:
            return None
        return self.converter.image(frames[-1])


def prepare(context: VideoCodecContext) -> None:
    """One thread, and errors are reported instead of painted over."""
    context.thread_count = 1
    context.thread_type = ThreadType.NONE
    context.options = {"err_detect": "explode"}


class DecoderPool:
    """Decoders by codec and parameters: at most `at_once` work, at most max_idle wait for their next turn.

    More at once than the machine has cores would gain no time and cost memory.
    """

    def __init__(self, max_idle: int | None = None, at_once: int | None = None) -> None:
        self._max_idle = max_idle or max(4, os.cpu_count() or 1)
        self._turns = threading.BoundedSemaphore(at_once or max(2, os.cpu_count() or 1))
        self._lock = threading.Lock()
        self._idle: OrderedDict[int, tuple[_Key, _Decoder]] = OrderedDict()
        self._number = 0

    def decode(self, stream: VideoCodecContext, packet: av.Packet[VideoStream]) -> Image | None:
        """Decode one keyframe of a stream whose parameters are given by its codec context."""
        key = (stream.codec.name, bytes(stream.extradata or b""), stream.width, stream.height)
        with self._turns:
            decoder = self._take(key)
            image = decoder.decode(packet)
            self._give(key, decoder)
        return image

    def _take(self, key: _Key) -> _Decoder:
        with self._lock:
            for number in reversed(self._idle):
                if self._idle[number][0] == key:
                    return self._idle.pop(number)[1]
        return _Decoder(key)

    def _give(self, key: _Key, decoder: _Decoder) -> None:
        with self._lock:
            self._number += 1
            self._idle[self._number] = (key, decoder)
            while len(self._idle) > self._max_idle:
                self._idle.popitem(last=False)


shared_pool = DecoderPool()
