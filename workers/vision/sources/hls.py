"""HLS through our own reader: each address of a playlist is checked and vetted before it is fetched."""

from __future__ import annotations

import threading
import time
from http.client import HTTPException
from urllib.parse import urljoin

from workers.vision.errors import SourceError, SourceFault
from workers.vision.sources.faults import as_source_error
from workers.vision.sources.http import GuardedResponse, open_http
from workers.vision.sources.options import SourceOptions
from workers.vision.sources.playlist import MediaPlaylist, Segment, parse_playlist
from workers.vision.sources.policy import AddressPolicy
from workers.vision.sources.urls import StreamUrl, validate_url

LIVE_EDGE = 3


class HlsReader:
    """The segments of a media playlist as one file object. A live list starts three segments from its end."""

    def __init__(
        self,
        url: str,
        *,
        policy: AddressPolicy,
        options: SourceOptions,
        first: GuardedResponse | None = None,
    ) -> None:
        self._policy, self._options = policy, options
        self._stopping = threading.Event()
        self._current: GuardedResponse | None = None
        self._ahead = b""
        self._taken = 0
        self.failure: SourceError | None = None
        self.gather: float | None = None
        self.gathers = False
        """Segments come in large pieces as it is."""
        self.clock_offset: float | None = None
        self._url, self._playlist = self._media_playlist(url, first)
        self._next = self._first_number(self._playlist)
        self._mapped = not self._playlist.map_uri
        self.container_format = "mpegts" if self._mapped else "mp4"

    @property
    def live(self) -> bool:
        """More segments are to come."""
        return not self._playlist.ended

    def read(self, size: int = 65536) -> bytes:
        """Up to size bytes of media; b'' after the last segment; waits for new ones of a live list."""
        try:
            return b"" if self.failure else self._read(size)
        except (SourceError, OSError, ValueError, HTTPException) as error:
            self.failure = as_source_error(error)
            return b""

    def _read(self, size: int) -> bytes:
        while not self._stopping.is_set():
            if self._current is None and not self._open_next():
                return b""
            assert self._current is not None
            piece = self._current.read(size)
            if piece:
                self._taken += len(piece)
                if self._taken > self._options.max_segment_bytes:
                    raise SourceError(SourceFault.TOO_LARGE, "A segment is larger than is allowed.")
                return piece
            self._close_current()
        raise SourceError(SourceFault.CLOSED, "The source was closed.")

    def abort(self) -> None:
        """Unblock a read in another thread."""
        self._stopping.set()
        current = self._current
        if current is not None:
            current.abort()

    def close(self) -> None:
        """Close the segment that is being read."""
        self._stopping.set()
        self._close_current()

    def _close_current(self) -> None:
        current, self._current = self._current, None
        self._taken = 0
        if current is not None:
            current.close()

    def _media_playlist(self, url: str, first: GuardedResponse | None) -> tuple[str, MediaPlaylist]:
        for _ in range(2):
            response = first or self._open(url)
            first = None
            self.clock_offset = response.clock_offset
            listed = parse_playlist(self._read_text(response))
            if isinstance(listed, MediaPlaylist):
                return url, listed
            url = self._nested(url, max(listed, key=lambda variant: variant.bandwidth).uri)
        raise SourceError(SourceFault.CORRUPT, "The playlists are nested too deeply.")

    def _read_text(self, response: GuardedResponse) -> bytes:
        return response.read_all(self._options.max_playlist_bytes, seconds=self._options.connect_timeout)

    def _open(self, url: str) -> GuardedResponse:
        return open_http(self._checked(url), policy=self._policy, options=self._options)

    def _checked(self, url: str) -> StreamUrl:
        """Nested addresses are http(s) only; the message never quotes them."""
        try:
            checked = validate_url(url, network_only=True)
        except SourceError:
            checked = None
        if checked is None or checked.scheme not in ("http", "https"):
            raise SourceError(SourceFault.REFUSED, "The playlist names an address that is not permitted.")
        return checked

    def _nested(self, base: str, uri: str) -> str:
        try:
            joined = urljoin(base, uri)
        except ValueError:
            joined = ""
        self._checked(joined)
        return joined

    def _first_number(self, playlist: MediaPlaylist) -> int:
        if not playlist.segments:
            return 0
        start = 0 if playlist.ended else -min(LIVE_EDGE, len(playlist.segments))
        return playlist.segments[start].number

    def _open_next(self) -> bool:
        if not self._mapped:
            self._mapped = True
            self._current = self._open(self._nested(self._url, self._playlist.map_uri))
            return True
        segment = self._wait_for_segment()
        if segment is None:
            return False
        self._next = segment.number + 1
        self._current = self._open(self._nested(self._url, segment.uri))
        return True

    def _wait_for_segment(self) -> Segment | None:
        deadline = time.monotonic() + max(self._options.read_timeout, 3 * self._playlist.target)
        while True:
            for segment in self._playlist.segments:
                if segment.number >= self._next:
                    return segment
            if self._playlist.ended:
                return None
            if self._playlist.segments and self._playlist.segments[-1].number < self._next - LIVE_EDGE - 1:
                self._next = self._first_number(self._playlist)  # the server started its numbers again
                continue
            if time.monotonic() > deadline:
                raise SourceError(SourceFault.TIMEOUT, "The live playlist brings no new segments.")
            if self._stopping.wait(min(2.0, self._playlist.target / 2)):
                raise SourceError(SourceFault.CLOSED, "The source was closed.")
            listed = parse_playlist(self._read_text(self._open(self._url)))
            if not isinstance(listed, MediaPlaylist):
                raise SourceError(SourceFault.CORRUPT, "The playlist changed its kind.")
            self._playlist = listed
