"""A TCP proxy of the tests between a client and a service: passes, delays, swallows, or drops what goes through it."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from typing import Self


class Proxy:
    """`with Proxy(port) as proxy:`; the modes may be changed while it runs.

    open       bytes pass, `delay` seconds late
    half_open  what is sent is swallowed and nothing comes back; connections stay established, no FIN, no RST
    closed     connections are reset and new ones refused
    """

    def __init__(self, port: int) -> None:
        self.target, self.mode, self.delay = port, "open", 0.0
        self.passed = 0
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join(5)
        for one in [*self._pairs, self._listener]:
            one.close()
        self._selector.close()

    def through(self, url: str) -> str:
        """The service's URL with our port instead of its own."""
        return url.replace(f":{self.target}", f":{self.port}")

    def _run(self) -> None:
        while not self._ended.is_set():
            if self.mode == "closed":
                for one in list(self._pairs):
                    self._drop(one)
            for key, _events in self._selector.select(0.05):
                one = key.fileobj
                assert isinstance(one, socket.socket)
                if one is self._listener:
                    self._accept()
                elif one in self._pairs:
                    self._pass(one)

    def _accept(self) -> None:
        client, _address = self._listener.accept()
        if self.mode == "closed":
            client.close()
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.target), timeout=2)
        except OSError:
            client.close()
            return
        self._pairs[client], self._pairs[server] = server, client
        for one in (client, server):
            self._selector.register(one, selectors.EVENT_READ)

    def _pass(self, one: socket.socket) -> None:
        try:
            data = one.recv(65536)
        except OSError:
            data = b""
        if self.mode == "half_open":
            if not data:  # even an end is not told
                with contextlib.suppress(KeyError):
                    self._selector.unregister(one)
            return
        if self.delay:
            time.sleep(self.delay)
        try:
            if data:
                self._pairs[one].sendall(data)
                self.passed += len(data)
                return
        except OSError:
            pass
        self._drop(one)

    def _drop(self, one: socket.socket) -> None:
        other = self._pairs.pop(one, None)
        for each in (one, other):
            if each is None:
                continue
            self._pairs.pop(each, None)
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(each)
            each.close()
