"""PostgreSQL and Redis: those the environment names, or the embedded ones."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis

from portal.launcher.diagnosis.finding import Finding, first_line
from portal.launcher.errors import LauncherError
from portal.launcher.postgres_home import USER, package_folder, programs_in
from portal.launcher.valkey import find_program

ONLY_HERE = "embedded: demo and tests only, `./vantage up` refuses it"


def find(data: Path, port: int) -> list[Finding]:
    """Both services."""
    database, broker = os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")
    findings = [given_postgres(database) if database else embedded_postgres()]
    findings.append(given_redis(broker) if broker else embedded_valkey())
    if not database and os.geteuid() == 0:
        findings.append(
            Finding("postgresql user", "ok", f"as root, PostgreSQL runs as {USER} in /var/lib/vantage")
        )
    return findings


def given_postgres(url: str) -> Finding:
    """The server of DATABASE_URL."""
    where = address(url)
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            version = connection.info.server_version
    except psycopg.Error as error:
        mend = "start that server, correct DATABASE_URL, or unset it to use the embedded one"
        return Finding("postgresql", "missing", f"{where}: {error}".strip(), mend)
    found = f"{version // 10000}.{version % 10000} at {where}"
    if version < 150000:
        return Finding("postgresql", "missing", found, "use PostgreSQL 15 or newer")
    return Finding("postgresql", "ok", found)


def given_redis(url: str) -> Finding:
    """The server of REDIS_URL."""
    where = address(url)
    try:
        with redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as client:
            information = client.info("server")
    except redis.RedisError as error:
        mend = "start that server, correct REDIS_URL, or unset it to use the embedded one"
        return Finding("redis", "missing", f"{where}: {error}", mend)
    name = information.get("server_name", "redis")
    version = information.get("valkey_version") or information.get("redis_version")
    return Finding("redis", "ok", f"{name} {version} at {where}")


def embedded_postgres() -> Finding:
    """The embedded server's programs."""
    try:
        folder, _ = package_folder()
    except LauncherError as error:
        return Finding("postgresql", "missing", str(error), "rm -rf .venv && ./vantage doctor")
    version = first_line([str(programs_in(folder) / "postgres"), "--version"])
    if version is None:
        mend = "set DATABASE_URL to a PostgreSQL ≥ 15 (Debian: apt install postgresql)"
        return Finding("postgresql", "missing", "the embedded server does not start here", mend)
    return Finding("postgresql", "ok", f"{version}, {ONLY_HERE}")


def embedded_valkey() -> Finding:
    """The embedded server's program."""
    try:
        version = first_line([str(find_program()), "--version"])
    except LauncherError as error:
        return Finding("redis", "missing", str(error), "rm -rf .venv && ./vantage doctor")
    if version is None:
        mend = "set REDIS_URL to a Redis or Valkey ≥ 7 (Debian: apt install redis-server)"
        return Finding("redis", "missing", "the embedded server does not start here", mend)
    return Finding("redis", "ok", f"{version.split(' sha=')[0]}, {ONLY_HERE}")


def address(url: str) -> str:
    """Host and port of a URL, never its password."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'local socket'}:{parts.port or 'default port'}"
