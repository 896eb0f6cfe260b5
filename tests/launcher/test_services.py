"""The embedded services: private, tied to their launcher, found again after the worst."""

import os
import signal
import stat
import subprocess
from pathlib import Path

import psycopg
import pytest
import redis

from portal.launcher import proc
from portal.launcher.errors import LauncherError
from portal.launcher.postgres import read_pid_file
from portal.launcher.postgres_home import find_home
from portal.launcher.services import Services
from tests.launcher.support import (
    data_with_space,
    kill_hard,
    launch,
    nobody,
    output_of,
    running_with,
    wait_for,
)

QUERY = """
import os, psycopg, socket, urllib.parse
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    print(connection.execute("SELECT datcollate FROM pg_database WHERE datname = 'vantage'").fetchone())
address = urllib.parse.urlsplit(os.environ["REDIS_URL"])
with socket.create_connection((address.hostname, address.port)) as connection:
    connection.sendall(f"AUTH {address.password}\\r\\nPING\\r\\n".encode())
    print(connection.recv(100).startswith(b"+OK"))
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def started(data: Path) -> Services:
    services = Services(data, throwaway=True, given={})
    services.start()
    return services


def test_both_start_below_a_closed_folder_with_a_space_and_open_nothing() -> None:
    with data_with_space() as data:
        before = {path: mode(path) for path in (data.parent, data.parent.parent)}
        services = started(data)
        try:
            with psycopg.connect(services.urls()["DATABASE_URL"]) as connection:
                connection.execute("CREATE EXTENSION pg_trgm")
                trigrams = connection.execute("SELECT cardinality(show_trgm('城市摄像头'))").fetchone()
            assert trigrams
            assert trigrams[0] > 3, "Chinese words have trigrams: the locale is not plain C"
            assert redis.Redis.from_url(services.urls()["REDIS_URL"]).ping()
            home = find_home(data)
            private = (data, data / "secrets", home.data, home.sockets)
            assert [oct(mode(path)) for path in private] == ["0o700"] * 4
            assert {mode(path) for path in (data / "secrets").iterdir()} == {0o600}
            assert mode(data / "valkey" / "valkey.conf") == 0o600
        finally:
            services.stop()
        assert {path: mode(path) for path in before} == before
        assert running_with(str(data)) == []


def test_nobody_gets_in_without_the_password() -> None:
    with data_with_space() as data:
        services = started(data)
        try:
            postgres, valkey = services.postgres, services.valkey
            assert postgres
            assert valkey
            with pytest.raises(psycopg.OperationalError, match="no password supplied"):
                psycopg.connect(
                    f"postgresql://vantage@127.0.0.1:{postgres.port}/vantage", passfile="/nonexistent"
                )
            with pytest.raises(redis.AuthenticationError):
                redis.Redis(port=valkey.port).ping()
        finally:
            services.stop()


def test_a_second_start_finds_rows_passwords_and_ports_again() -> None:
    with data_with_space() as data:
        first = started(data)
        with psycopg.connect(first.urls()["DATABASE_URL"]) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
        urls = first.urls()
        first.stop()

        second = started(data)
        try:
            assert second.urls() == urls
            with psycopg.connect(urls["DATABASE_URL"]) as connection:
                assert connection.execute("SELECT value FROM kept").fetchone() == (7,)
        finally:
            second.stop()


def test_one_launcher_per_data_folder() -> None:
    with data_with_space() as data:
        first = started(data)
        try:
            with pytest.raises(LauncherError, match=f"process {os.getpid()}"):
                Services(data, given={}).start()
            assert first.postgres
            assert first.postgres.is_running(), "the second one must not touch the first one's server"
        finally:
            first.stop()


def test_given_addresses_are_used_and_nothing_is_started() -> None:
    given = {"DATABASE_URL": "postgresql://db.example/vantage", "REDIS_URL": "redis://cache.example/0"}
    with data_with_space() as data, Services(data, given=given) as services:
        assert services.urls() == given
        assert services.pids() == {}


def test_kill_9_of_the_launcher_leaves_nothing_and_the_next_start_works() -> None:
    with data_with_space() as data:
        first = launch("portal.launcher.services", "--data", data, "--detach-env", data / "env.sh")
        assert wait_for(lambda: (data / "env.sh").exists())
        assert mode(data / "env.sh") == 0o600
        pid = int(read_pid_file(find_home(data).data)[0])
        kill_hard(first)
        assert wait_for(lambda: not running_with(str(data / "valkey")))
        assert wait_for(lambda: not proc.is_alive(pid))
        services = started(data)
        try:
            with psycopg.connect(services.urls()["DATABASE_URL"]) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
        finally:
            services.stop()


def test_servers_that_outlived_their_launcher_are_ended_by_the_next_start() -> None:
    with data_with_space() as data:
        first = started(data)
        left_behind = first.pids()
        first.lock.release()  # as the kernel does for a dead launcher
        second = started(data)
        try:
            assert not [pid for pid in left_behind.values() if proc.is_alive(pid)]
            assert set(second.pids()) == {"postgres", "valkey"}
        finally:
            second.stop()
            first.stop()


def test_a_pid_file_whose_number_is_another_program_is_no_obstacle() -> None:
    with data_with_space() as data, subprocess.Popen(["sleep", "600"]) as other:
        services = started(data)
        services.stop()
        home = find_home(data)
        (home.data / "postmaster.pid").write_text(f"{other.pid}\n{home.data}\n0\n5432\n", encoding="utf-8")
        try:
            started(data).stop()
            assert other.poll() is None, "a foreign process was ended"
        finally:
            other.kill()


def test_rows_without_their_password_are_kept_aside() -> None:
    with data_with_space() as data:
        started(data).stop()
        (data / "secrets" / "postgres").unlink()
        started(data).stop()
        assert len(list(find_home(data).data.parent.glob("postgres.old-*"))) == 1


@pytest.mark.parametrize("name", ["postgres", "valkey"])
def test_a_killed_service_comes_back_where_it_was(name: str) -> None:
    with data_with_space() as data:
        services = started(data)
        try:
            with psycopg.connect(services.urls()["DATABASE_URL"]) as connection:
                connection.execute("CREATE TABLE acknowledged AS SELECT 1")
            urls, pid = services.urls(), services.pids()[name]
            os.kill(pid, signal.SIGKILL)
            assert wait_for(lambda: services.revive() == [name])
            assert services.urls() == urls
            with psycopg.connect(urls["DATABASE_URL"]) as connection:
                assert connection.execute("SELECT count(*) FROM acknowledged").fetchone() == (1,)
            assert redis.Redis.from_url(urls["REDIS_URL"]).ping()
        finally:
            services.stop()


def test_as_a_normal_user() -> None:
    user, python = nobody()
    with data_with_space(owner=user.pw_uid) as data:
        command = ("--data", data, "--throwaway", "--run", "--", python[-1], "-c", QUERY)
        status, output = output_of("portal.launcher.services", *command, python=python)
        assert (status, output.splitlines()) == (0, ["('C.UTF-8',)", "True"])
        assert {path.stat().st_uid for path in (data, data / "postgres")} == {user.pw_uid}


def test_as_root_the_server_is_not() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    with data_with_space() as data:
        services = started(data)
        try:
            assert services.postgres
            assert services.postgres.process
            owner = os.stat(f"/proc/{services.postgres.process.pid}").st_uid
            assert owner != 0
            assert owner == find_home(data).data.stat().st_uid
        finally:
            services.stop()


def test_the_command_gives_its_childs_status() -> None:
    with data_with_space() as data:
        arguments = ("--data", data, "--throwaway", "--run", "--", "sh", "-c", "exit 7")
        assert output_of("portal.launcher.services", *arguments)[0] == 7
        assert running_with(str(data)) == []
