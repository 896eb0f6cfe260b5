"""Programs beside Python: Node for the front end, and what only tests need."""

import contextlib
import os
import shutil
from pathlib import Path

from portal.launcher import frontend
from portal.launcher.diagnosis.finding import Finding, first_line
from portal.launcher.errors import LauncherError
from portal.launcher.layout import ROOT
from portal.launcher.postgres_home import package_folder, programs_in

GSTREAMER = (
    "apt install python3-gi gir1.2-gst-rtsp-server-1.0 "
    "gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly"
)
RTSP_SERVER = (
    "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer, Gst; "
    "Gst.init(None); print('.'.join(str(part) for part in Gst.version()[:3]))"
)


def find(data: Path, port: int) -> list[Finding]:
    """Node, the built front end, and the tests' camera and browser."""
    return [node(), built(), backup_programs(), rtsp_server(), browser(), chinese_font(), nginx()]


def node() -> Finding:
    """Node for building the front end."""
    found = frontend.find_node()
    if found is None:
        return Finding(
            "node", "missing", "none ≥ 20.19", "rm -rf .venv && ./vantage build   (brings its own Node)"
        )
    return Finding("node", "ok", f"{found[2]} ({found[0][0]})")


def built() -> Finding:
    """Is static/dist of the present sources?"""
    if not (ROOT / "package.json").is_file():
        return Finding("front end", "optional", "no package.json in this checkout")
    if frontend.is_built(ROOT):
        return Finding("front end", "ok", "built from the present sources")
    return Finding("front end", "optional", "not built from the present sources", "./vantage build")


def backup_programs() -> Finding:
    """pg_dump for `./vantage backup`: the embedded server's, or the machine's."""
    programs = [shutil.which("pg_dump")]
    with contextlib.suppress(LauncherError):
        programs.insert(0, str(programs_in(package_folder()[0]) / "pg_dump"))
    versions = [first_line([program, "--version"]) for program in programs if program]
    found = next(filter(None, versions), None)
    if found is None:
        mend = "apt install postgresql-client   (of the server's version or newer)"
        return Finding("backup", "optional", "no pg_dump: ./vantage backup cannot run", mend)
    return Finding("backup", "ok", found)


def nginx() -> Finding:
    """nginx, with which the configuration of deploy/ is tested."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        return Finding(
            "nginx for tests", "optional", "none; the test of deploy/nginx skips", "apt install nginx-light"
        )
    return Finding("nginx for tests", "ok", program)


def rtsp_server() -> Finding:
    """GStreamer's RTSP server, the camera of the tests; it lives under Debian's own Python."""
    version = first_line(["/usr/bin/python3", "-c", RTSP_SERVER])
    if version is None:
        return Finding(
            "rtsp camera for tests", "optional", "no GStreamer RTSP server; those tests skip", GSTREAMER
        )
    return Finding("rtsp camera for tests", "ok", f"GStreamer {version}")


def browser() -> Finding:
    """Chromium, the browser of the tests."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        return Finding(
            "browser for tests", "optional", "no Chromium; tests/e2e skips", "apt install chromium"
        )
    return Finding("browser for tests", "ok", first_line([program, "--version"]) or program)


def chinese_font() -> Finding:
    """A font with Chinese letters, for screenshots and watermarks drawn on this machine."""
    listed = first_line(["fc-list", ":lang=zh", "family"])
    if listed is None:
        return Finding("chinese font", "optional", "none found", "apt install fonts-noto-cjk")
    return Finding("chinese font", "ok", listed)
