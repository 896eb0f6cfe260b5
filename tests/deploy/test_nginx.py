"""The real nginx with our configuration before the real web: pictures by X-Accel-Redirect, only after the check."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from apps.devices.services.media import media_url
from tests.attacks import world as worlds
from tests.support.road import free_port
from tests.support.waiting import wait_until

TEMPLATE = Path(__file__).resolve().parents[2] / "deploy/nginx/vantage.conf.template"
MAIN = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
    access_log off; default_type application/octet-stream;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    {server}
}}
"""


@pytest.fixture
def front(tmp_path: Path, live_server: Any, settings: Any) -> Iterator[str]:
    """nginx with TLS before the web of this test; its address."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("no nginx here (Debian: apt install nginx-light)")
    settings.VANTAGE_RENDITIONS, settings.VANTAGE_ACCEL = tmp_path / "pictures", "/_pictures/"
    settings.ALLOWED_HOSTS = ["*"]
    settings.VANTAGE_RENDITIONS.mkdir(mode=0o750)
    port = free_port()
    make_certificate(tmp_path)
    write_configuration(tmp_path, live_server.url, settings.VANTAGE_RENDITIONS, port)
    command = [program, "-p", tmp_path, "-e", tmp_path / "error.log", "-c", tmp_path / "nginx.conf"]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    with subprocess.Popen(command) as process:
        try:
            url = f"https://127.0.0.1:{port}"
            assert wait_until(lambda: ask(f"{url}/healthz")[0] == 200, 20)
            yield url
        finally:
            process.terminate()


def make_certificate(folder: Path) -> None:
    """`tls.key` and `tls.crt`, signed by itself."""
    made = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=vantage.city -keyout tls.key -out tls.crt"
    subprocess.run(made.split(), cwd=folder, check=True, capture_output=True)


def write_configuration(folder: Path, web: str, pictures: Path, port: int) -> None:
    """`nginx.conf` with the server of deploy/ in it, filled in as nginx's image does."""
    server = TEMPLATE.read_text(encoding="utf-8")
    given = {
        "${VANTAGE_WEB}": web.removeprefix("http://"),
        "${VANTAGE_RENDITIONS}": str(pictures),
        "${VANTAGE_TLS}": str(folder),
        "listen 8080": f"listen 127.0.0.1:{free_port()}",
        "listen 8443": f"listen 127.0.0.1:{port}",
    }
    for word, value in given.items():
        assert word in server
        server = server.replace(word, value)
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(user + MAIN.format(folder=folder, server=server))


def ask(url: str, cookies: str = "", **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """Status (0: nobody answers), body and headers."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    request = urllib.request.Request(url, headers={"Cookie": cookies, **headers})
    try:
        with urllib.request.urlopen(request, context=context, timeout=20) as answer:
            return answer.status, answer.read(), {key.lower(): value for key, value in answer.headers.items()}
    except urllib.error.HTTPError as error:
        return error.code, error.read(), dict(error.headers)
    except OSError:
        return 0, b"", {}


@pytest.mark.django_db(transaction=True)
def test_pictures_come_from_nginx_and_only_after_the_check(front: str, settings: Any, tmp_path: Path) -> None:
    settings.VANTAGE_OUTBOUND_EXACT = [worlds.ENDPOINT]
    settings.MEDIA_ROOT = tmp_path / "media"
    world = worlds.build()
    manager, other = world.client("manager"), world.client("other")
    url = front + media_url("cover", world.camera.pk, world.principal("manager"), variant="thumb")

    status, body, headers = ask(url, session(manager))
    assert status == 200
    assert body.startswith(b"\xff\xd8")
    assert headers["content-type"] == "image/jpeg"
    assert "sandbox" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-vantage-rendition"]
    assert "x-accel-redirect" not in headers
    [file] = list(settings.VANTAGE_RENDITIONS.iterdir())
    assert body == file.read_bytes()

    assert ask(url, session(other))[0] == 404
    assert ask(url)[0] == 404
    for path in (f"/_pictures/{file.name}", "/_pictures/../nginx.conf", "/metrics"):
        assert ask(front + path, session(manager))[0] in {400, 404}, path
    forged = ask(f"{front}/healthz", **{"X-Accel-Redirect": f"/_pictures/{file.name}"})
    assert forged[1] == b'{"status": "ok"}'


def session(client: Client) -> str:
    """The client's cookies, as a header."""
    return "; ".join(f"{name}={cookie.value}" for name, cookie in client.cookies.items())


def test_without_nginx_the_web_sends_pictures_itself(settings: Any) -> None:
    from django.http import HttpResponse

    from apps.devices.views.handover import handed_over

    assert settings.VANTAGE_ACCEL == ""
    answer = HttpResponse(b"x")
    assert handed_over(answer, None) is answer
    assert "X-Accel-Redirect" not in answer


def test_a_folder_that_cannot_be_written_costs_no_picture(settings: Any, tmp_path: Path) -> None:
    from django.http import HttpResponse

    from apps.devices.views.handover import handed_over

    (tmp_path / "file").touch()
    settings.VANTAGE_ACCEL, settings.VANTAGE_RENDITIONS = "/_pictures/", tmp_path / "file"
    answer = handed_over(HttpResponse(b"x"), None)
    assert answer.content == b"x"
    assert "X-Accel-Redirect" not in answer
