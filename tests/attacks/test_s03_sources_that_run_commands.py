"""S03: no address that anybody can give runs a command, and there is no media server of a foreign hand to be told one.

Vantage holds streams itself (workers/streams) and bundles no go2rtc, MediaMTX, ZLMediaKit or SRS, whose sources of
kind `exec:`, `ffmpeg:`, `echo:` or `expr:` run what they are given.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import av
import pytest
from django.test import Client
from django.urls import reverse

from apps.core.models import AuditRecord
from apps.devices.models import Camera, Stream
from apps.openapi.models import Subscription
from tests.attacks import typed_texts
from tests.openapi import builders
from tests.support import factories

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    path for room in ("apps", "workers", "portal", "demo") for path in sorted((ROOT / room).rglob("*.py"))
]
COMMANDS = (
    "exec:id", "exec:touch /tmp/vantage-s03#video=h264", "exec://id", "echo:id", "expr:id", "ffmpeg:rtsp://h/x#exec=id",
    "ffmpeg:device?video=0", "rtsp://h/x#exec:id", "rtsp://h/x;id", "rtsp://$(id)/x", "rtsp://`id`/x", "rtsp://h/x|id",
    "onvif://h", "webrtc:http://h", "homekit://h", "tapo://h", "nest:?x", "v4l2:device", "alsa:device", "doorbird:h",
    "rtsp://h/x\nexec:id", "python:import os", "ssh://h/x", "dshow:video=x",
)  # fmt: skip
#: Every input for an address, of forms and the interface: a new one fails until it stands here and is tested below.
ADDRESS_INPUTS = {
    "NewCameraForm.stream_url", "StreamForm.stream_url", "NewCameraSerializer.stream_url", "StreamTestSerializer.url",
    "SubscriptionForm.endpoint", "SubscriptionInputSerializer.endpoint", "SubscriptionChangeSerializer.endpoint",
}  # fmt: skip


@pytest.mark.django_db
def test_s03_every_input_for_an_address_is_known() -> None:
    found = {
        where
        for _room, name, where in typed_texts.typed_inputs()
        if any(word in name for word in ("url", "uri", "endpoint", "source", "host", "stream"))
    }
    assert found - {"SubscriptionForm.source"} == ADDRESS_INPUTS


@pytest.mark.django_db
@pytest.mark.parametrize("url", COMMANDS)
def test_s03_no_input_takes_a_command(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr(av, "open", lambda *given, **named: started.append(given))
    for name in ("system", "popen", "execv", "execve", "posix_spawn"):
        monkeypatch.setattr(f"os.{name}", lambda *given, **named: started.append(given))
    monkeypatch.setattr("subprocess.Popen.__init__", lambda *given, **named: started.append(given))
    user = factories.user(roles=("resource_manager", "developer"))
    client = Client(raise_request_exception=False)
    client.force_login(user)
    camera = factories.camera(user.organisation)
    form = {
        "name": "n", "organisation": user.organisation.code, "kind": "bullet", "stream_url": url,
        "sharing_class": "conditional", "data_class": "general",
    }  # fmt: skip
    pages = (
        client.post(reverse("devices:camera-add"), form),
        client.post(
            reverse("devices:stream-edit", args=[camera.pk]), {"stream_url": url, "transport": "auto"}
        ),
        client.post(reverse("devices:stream-test"), {"stream_url": url}),
    )
    assert {page.status_code for page in pages} == {200}
    body = {"name": "n", "stream_url": url}
    made = client.post("/api/v1/cameras", body, content_type="application/json")
    assert (made.status_code, "stream_url" in made.json()["fields"]) == (400, True)
    trial = client.post("/api/v1/cameras/test-stream", {"url": url}, content_type="application/json")
    assert trial.status_code == 400 or trial.json()["ok"] is False
    app = builders.app(user.organisation)
    key = {"authorization": f"Bearer {builders.key(app, 'subscriptions:write').text}"}
    hook = {"name": "n", "endpoint": url, "kinds": ["raised"]}
    made = Client().post("/api/v1/subscriptions", hook, content_type="application/json", headers=key)
    assert (made.status_code, "endpoint" in made.json()["fields"]) == (400, True)
    page = client.post(reverse("openapi:subscription-add"), {**hook, "app": str(app.pk)})
    assert page.status_code in {200, 400}
    assert started == []
    assert Camera.objects.get() == camera
    assert not Stream.objects.exists()
    assert not Subscription.objects.exists()
    assert not AuditRecord.objects.filter(action="camera.add").exists()


def _calls(path: Path) -> list[ast.Call]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _name(call: ast.Call) -> str:
    return ast.unparse(call.func)


def test_s01_nothing_is_given_to_a_shell() -> None:
    """Processes are started from lists; no string of anybody is a command line."""
    found = []
    for path in SOURCES:
        for call in _calls(path):
            through_shell = any(
                one.arg == "shell" and getattr(one.value, "value", True) is not False for one in call.keywords
            )
            if through_shell or _name(call) in {"os.system", "os.popen", "subprocess.getoutput", "pty.spawn",
                                                "subprocess.getstatusoutput", "commands.getoutput",
                                                "asyncio.create_subprocess_shell"}:  # fmt: skip
                found.append(f"{path.relative_to(ROOT)}:{call.lineno}")
    assert len(SOURCES) > 200
    assert found == []


def test_s03_no_foreign_media_server_is_bundled_or_configured() -> None:
    names = ("go2rtc", "mediamtx", "rtsp-simple-server", "zlmediakit", "srs.conf")
    places = [ROOT / "pyproject.toml", *ROOT.glob("Procfile*"), *(ROOT / "deploy").rglob("*"), *SOURCES]
    files = [path for path in places if path.is_file()]
    text = {path: path.read_text(encoding="utf-8", errors="replace").lower() for path in files}
    assert [(path.name, name) for path, words in text.items() for name in names if name in words] == []


def test_s26_archives_are_opened_by_the_guarded_unpacker_alone() -> None:
    """`extractall` and its like write where an archive says; restoring copies members to places named by us."""
    found = []
    for path in SOURCES:
        for call in _calls(path):
            if _name(call).rpartition(".")[2] in {"extractall", "unpack_archive", "extract"}:
                found.append(f"{path.relative_to(ROOT)}:{call.lineno}")
    assert [one for one in found if not one.startswith("demo/training/")] == [], (
        "those open what they made themselves"
    )


def test_s28_s30_nothing_loads_code_with_a_model() -> None:
    """No unpickling, no custom operator library, no evaluation of text, anywhere in the product."""
    modules = {"pickle", "cPickle", "dill", "joblib", "cloudpickle", "shelve", "marshal", "torch"}
    calls = {"register_custom_ops_library", "eval", "exec", "compile_command"}
    found = []
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [f"{path.relative_to(ROOT)}: {name}" for name in names if name.split(".")[0] in modules]
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                if name in calls or name.endswith(".register_custom_ops_library"):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno} {name}")
                if name in {"np.load", "numpy.load"} and not any(
                    one.arg == "allow_pickle" and getattr(one.value, "value", True) is False
                    for one in node.keywords
                ):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno} {name}")
    assert [one for one in found if not one.startswith("demo/training/")] == []


def test_s29_the_reader_of_models_is_one_without_the_known_holes() -> None:
    import onnx

    assert tuple(int(part) for part in onnx.__version__.split(".")[:2]) >= (1, 21)
