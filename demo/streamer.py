"""Serves the clips as endless cameras on loopback: ``python -m demo.streamer --cache DIR --port N``.

    /live/<name>.flv   HTTP-FLV      /live/<name>.ts   MPEG-TS      /file/<name>.mp4   the clip itself      /   a list

A clip's packets are read once and repeated without ever being decoded or encoded. All clients of a clip share one
clock, the wall clock: whoever connects (again) finds the world where it is now, starting at the last keyframe.
Cameras named by ``--offline`` answer 404. Without options the address and folder are those of ``./vantage demo``:
``VANTAGE_STREAMER_PORT`` and the first of ``VANTAGE_MEDIA_ROOTS``.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import time
from pathlib import Path

from aiohttp import web

from demo.clips import NAMES, clip_paths
from demo.remux import LiveClip, Muxer
from demo.render.stories import STORIES

log = logging.getLogger("demo.streamer")

_FORMATS = {"flv": "video/x-flv", "ts": "video/mp2t"}
OFFLINE: tuple[str, ...] = tuple(story.name for story in STORIES if story.offline)
SLICE = 0.25  # seconds of video per write: few wake-ups, little delay


class Streamer:
    """The cameras of one cache folder; a clip is opened when first asked for, so rendering may still be going on."""

    def __init__(self, cache: Path, offline: frozenset[str] = frozenset(OFFLINE), zero: float = 0.0) -> None:
        self.cache, self.offline, self.zero = cache, offline, zero
        self._clips: dict[str, LiveClip] = {}

    def clip(self, name: str) -> LiveClip | None:
        """The opened clip, or None when it is unknown or not rendered yet."""
        if name not in NAMES:
            return None
        if name not in self._clips:
            path = clip_paths(self.cache, name).video
            if not path.is_file():
                return None
            self._clips[name] = LiveClip.read(path)
        return self._clips[name]

    def application(self) -> web.Application:
        """The routes."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/", self.index),
                web.get(r"/live/{name:\w+}.{form:flv|ts}", self.live),
                web.get(r"/file/{name:\w+}.mp4", self.file),
            ]
        )
        return app

    async def index(self, request: web.Request) -> web.Response:
        """What is served: name, whether it is rendered, whether it is offline."""
        return web.json_response(
            [
                {
                    "name": name,
                    "ready": clip_paths(self.cache, name).video.is_file(),
                    "offline": name in self.offline,
                }
                for name in NAMES
            ]
        )

    async def file(self, request: web.Request) -> web.StreamResponse:
        """The clip as a file, with ranges."""
        name = request.match_info["name"]
        if name not in NAMES or not clip_paths(self.cache, name).video.is_file():
            raise web.HTTPNotFound(text="no such clip\n")
        return web.FileResponse(clip_paths(self.cache, name).video, headers={"Content-Type": "video/mp4"})

    async def live(self, request: web.Request) -> web.StreamResponse:
        """An endless stream, paced by the wall clock, until the client goes."""
        name, form = request.match_info["name"], request.match_info["form"]
        clip = None if name in self.offline else self.clip(name)
        if clip is None:
            raise web.HTTPNotFound(text="this camera is offline\n")
        response = web.StreamResponse(headers={"Content-Type": _FORMATS[form], "Cache-Control": "no-store"})
        await response.prepare(request)
        try:
            await self._play(response, clip, form)
        except (ConnectionError, asyncio.CancelledError):
            log.debug("viewer of %s left", name)
        return response

    async def _play(self, response: web.StreamResponse, clip: LiveClip, form: str) -> None:
        clock = asyncio.get_running_loop().time
        shift = time.time() - clock()
        muxer = Muxer(clip, form)
        ticket = clip.keyframe_before(clip.frames_at(time.time() - self.zero))
        first = ticket
        try:
            while True:
                due = clip.frames_at(clock() + shift - self.zero)
                if due - ticket > clip.rate * 30:  # the machine slept: join the world where it is now
                    ticket = clip.keyframe_before(due)
                chunk = muxer.write(range(ticket, due + 1), first)
                ticket = due + 1
                if chunk:
                    await response.write(chunk)
                await asyncio.sleep(SLICE)
        finally:
            muxer.close()


async def serve(
    cache: Path, port: int, offline: frozenset[str], zero: float = 0.0, host: str = "127.0.0.1"
) -> None:
    """Serves until SIGTERM or SIGINT."""
    runner = web.AppRunner(
        Streamer(cache, offline, zero).application(), access_log=None, shutdown_timeout=1.0
    )
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    log.info("streaming on http://%s:%d", host, port)
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await stop.wait()
    await runner.cleanup()


def _cache_of_demo() -> Path | None:
    """The first media root is where `./vantage demo` keeps its clips."""
    first = os.environ.get("VANTAGE_MEDIA_ROOTS", "").split(",")[0]
    return Path(first) if first else None


def main() -> None:
    """Command line; see the module's text."""
    parser = argparse.ArgumentParser(description="Serves the demo city's clips as live cameras on loopback.")
    parser.add_argument("--cache", type=Path, default=_cache_of_demo(), help="folder with the rendered clips")
    parser.add_argument("--port", type=int, default=os.environ.get("VANTAGE_STREAMER_PORT"))
    parser.add_argument(
        "--offline", action="append", default=None, help="a camera that answers 404 (repeatable)"
    )
    parser.add_argument("--zero", type=float, default=0.0, help="epoch seconds at which every loop began")
    options = parser.parse_args()
    if options.cache is None or options.port is None:
        parser.error("name --cache and --port, or set VANTAGE_MEDIA_ROOTS and VANTAGE_STREAMER_PORT")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    offline = frozenset(OFFLINE if options.offline is None else options.offline)
    asyncio.run(serve(options.cache, options.port, offline, options.zero))


if __name__ == "__main__":
    main()
