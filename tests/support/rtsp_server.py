"""A real RTSP camera for tests: GStreamer's server in a process of the system's Python, one looped file.

`RtspServer(path)` starts and stops on one free port; `available()` says why it cannot run here ('' = it can).
With `seconds` it plays an MP4 once, from its beginning for the first viewer, and ends itself that long after.
Debian: python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-{base,good,bad,ugly}.
"""

from __future__ import annotations

import functools
import select
import socket
import subprocess
import sys
import time
from pathlib import Path

SYSTEM_PYTHON = "/usr/bin/python3"


@functools.cache
def available() -> str:
    """'' where the server can run, otherwise the reason for skipping."""
    if not Path(SYSTEM_PYTHON).exists():
        return "no system Python"
    check = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    done = subprocess.run([SYSTEM_PYTHON, "-c", check], capture_output=True, timeout=30, check=False)
    return "" if done.returncode == 0 else "GStreamer's RTSP server (python3-gi, GstRtspServer) is missing"


class RtspServer:
    """Serves MPEG-TS with H.264 (or H.265) at rtsp://127.0.0.1:port/camera, looped. A context manager."""

    def __init__(
        self, path: Path, *, codec: str = "h264", user: str = "", password: str = "", seconds: float = 0
    ) -> None:
        self.path, self.codec, self.user, self.password = path, codec, user, password
        self.seconds = seconds
        self._process: subprocess.Popen[str] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    @property
    def url(self) -> str:
        login = f"{self.user}:{self.password}@" if self.user else ""
        return f"rtsp://{login}127.0.0.1:{self.port}/camera"

    def start(self, timeout: float = 20.0) -> RtspServer:
        self._process = subprocess.Popen(
            [
                SYSTEM_PYTHON,
                __file__,
                str(self.port),
                str(self.path),
                self.codec,
                self.user,
                self.password,
                str(self.seconds),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], timeout)
        if not ready or self._process.stdout.readline().strip() != "ready":
            self.stop()
            raise RuntimeError("the RTSP server did not start")
        return self

    def stop(self) -> None:
        """Kill the server: its connections are reset."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()

    @property
    def is_over(self) -> bool:
        """True once the clip that is played once has ended."""
        return self._process is not None and self._process.poll() is not None

    def restart(self) -> None:
        self.stop()
        time.sleep(0.05)
        self.start()

    def __enter__(self) -> RtspServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _serve(port: str, path: str, codec: str, user: str, password: str, seconds: str) -> None:
    """Runs under the system's Python; looped, or once for so many `seconds` from the first viewer on."""
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer

    Gst.init(None)
    parse, pay = ("h265parse", "rtph265pay") if codec == "h265" else ("h264parse", "rtph264pay")
    # multifilesrc with loop gives the file again and again; MPEG-TS can be joined end to end.
    looped = f"multifilesrc location={path} loop=true ! tsparse set-timestamps=true ! tsdemux"
    file = f'filesrc location="{path}" ! qtdemux' if float(seconds) else looped
    launch = (
        f"( {file} ! {parse} config-interval=-1 ! video/x-{codec},alignment=au ! {pay} "
        "name=pay0 pt=96 config-interval=-1 )"
    )

    class Factory(GstRtspServer.RTSPMediaFactory):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.set_launch(launch)
            self.set_shared(True)

    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = Factory()
    loop = GLib.MainLoop()
    if float(seconds):
        factory.connect("media-configure", lambda *_: GLib.timeout_add(int(float(seconds) * 1000), loop.quit))
    if user:
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
        server.set_auth(auth)
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("viewer", "media.factory.access", True)
        permissions.add_permission_for_role("viewer", "media.factory.construct", True)
        factory.set_permissions(permissions)
    server.get_mount_points().add_factory("/camera", factory)
    if server.attach(None) == 0:
        sys.exit(1)
    print("ready", flush=True)
    loop.run()


if __name__ == "__main__":
    _serve(*sys.argv[1:7])
