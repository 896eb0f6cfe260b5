"""The engine's client against an engine of our own that answers badly: late, short, or not at all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import wait_until
from workers.vision.engine_client import EngineClient, EngineError, EnginePool, EngineUnavailable
from workers.vision.inference.server import EngineServer
from workers.vision.inference.wire import receive, send

Answer = Callable[[socket.socket, int], bool]


@contextmanager
def engine(path: Path, answer: Answer) -> Iterator[None]:
    """Accepts one connection after the other; `answer(connection, number)` at each request, False hangs up."""
    ended = threading.Event()

    def serve(listener: socket.socket) -> None:
        number = 0
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                while receive(connection) is not None:
                    number += 1
                    if not answer(connection, number):
                        break

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)
    assert not thread.is_alive()


def test_an_answer_with_too_few_results_is_an_error_and_no_silence(tmp_path: Path) -> None:
    def short(connection: socket.socket, _number: int) -> bool:
        send(connection, {"results": [[]]})
        return True

    with (
        engine(tmp_path / "e.sock", short),
        EngineClient(tmp_path / "e.sock") as client,
        pytest.raises(EngineError, match="1 answers to 2 items"),
    ):
        client.analyse([{}, {}])


def test_a_slow_engine_has_not_ended(tmp_path: Path) -> None:
    """The connection went stale, the next one gets no answer: that is a wait, not the end of an engine."""
    slow = threading.Event()

    def once(connection: socket.socket, number: int) -> bool:
        if number == 1:
            send(connection, {"pong": True})
            return True
        if number == 2:
            return False
        slow.wait(20)
        return False

    with engine(tmp_path / "e.sock", once), EngineClient(tmp_path / "e.sock") as client:
        assert client.ping()
        with pytest.raises(EngineUnavailable) as caught:
            client.call({"op": "stats"}, timeout=0.3)
        slow.set()
    assert not caught.value.went_away


def test_an_engine_that_hangs_up_twice_has_ended(tmp_path: Path) -> None:
    def once(connection: socket.socket, number: int) -> bool:
        if number == 1:
            send(connection, {"pong": True})
        return number == 1

    with engine(tmp_path / "e.sock", once), EngineClient(tmp_path / "e.sock") as client:
        assert client.ping()
        with pytest.raises(EngineUnavailable) as caught:
            client.stats()
    assert caught.value.went_away


def test_a_closed_pool_keeps_no_connection_of_what_was_lent(tmp_path: Path) -> None:
    def pong(connection: socket.socket, _number: int) -> bool:
        send(connection, {"pong": True})
        return True

    with engine(tmp_path / "e.sock", pong):
        pool = EnginePool(tmp_path / "e.sock", size=1)
        with pool.client() as lent:
            assert lent.ping()
            pool.close()
            assert lent._connection is not None
        assert lent._connection is None


def test_requests_that_an_engine_has_no_time_for_when_it_stops_are_answered(tmp_path: Path) -> None:
    class Slow:
        """Analyses until it is let go."""

        def __init__(self) -> None:
            self.began, self.go_on = threading.Event(), threading.Event()

        def analyse(self, frame: Any, specs: Any, *, may_fall_back: bool = True) -> list[Any]:
            self.began.set()
            self.go_on.wait(20)
            return [{} for _ in specs]

        def stats(self) -> dict[str, Any]:
            return {}

        def unload(self) -> int:
            return 0

    slow, answers = Slow(), {}
    server = EngineServer(tmp_path / "e.sock", slow, threads=1)
    server.start()

    def ask(name: str) -> None:
        item = {"frame": {"path": "/none", "time_us": 1}, "executions": [{}]}
        with EngineClient(tmp_path / "e.sock") as client:
            try:
                answers[name] = client.analyse([item], timeout=20)
            except EngineError as error:
                answers[name] = error.code

    threads = [threading.Thread(target=ask, args=(name,)) for name in ("running", "queued")]
    threads[0].start()
    assert slow.began.wait(10)
    threads[1].start()
    assert wait_until(lambda: server.stats()["queue"] == 2, 10)
    server.stop(timeout=0.2)
    threads[1].join(10)
    assert answers == {"queued": "engine_error"}
    slow.go_on.set()
    threads[0].join(10)
    assert answers["running"] == [[{}]]
