"""What breaks the town: one random fault at a time, each written down with its moment."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import redis

from tests.support.receiver import Reply
from tests.support.town import Town, continue_group, stop_group

PROCESSES = ("web", "engine", "streams", "scheduler", "capture", "analysis", "courier")
POOLED = ("capture", "analysis")
STALL_SECONDS = (3.0, 45.0)


@dataclass
class Nemesis:
    """`strike` picks by `seed`, so that a soak can be repeated."""

    town: Town
    seed: int
    struck: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.began = time.monotonic()
        self.blows: list[tuple[int, Callable[[], str]]] = [
            (5, self.kill_process),
            (2, self.kill_pool_child),
            (3, self.stall_process),
            (2, self.restart_valkey),
            (1, self.empty_valkey),
            (1, self.restart_postgres),
            (2, self.refuse_messages),
            (2, self.restart_cameras),
        ]

    def strike(self) -> str:
        """One blow; returns its words."""
        blow = self.chance.choices([blow for _, blow in self.blows], [weight for weight, _ in self.blows])[0]
        words = blow()
        self.struck.append((round(time.monotonic() - self.began, 1), words))
        return words

    def counts(self) -> dict[str, int]:
        """How often each kind struck."""
        return dict(Counter(words.split(" (")[0] for _, words in self.struck))

    def kill_process(self) -> str:
        """kill -9 of a process and its group."""
        name = self.chance.choice(PROCESSES)
        self.town.kill(name)
        return f"kill -9 {name}"

    def kill_pool_child(self) -> str:
        """A worker's child dies as by a segmentation fault or for memory."""
        name = self.chance.choice(POOLED)
        number = self.chance.choice((signal.SIGKILL, signal.SIGSEGV))
        with contextlib.suppress(ProcessLookupError, KeyError, IndexError):
            os.kill(self.chance.choice(self.town.children(name)), number)
        return f"{number.name} to a child of {name}"

    def stall_process(self) -> str:
        """SIGSTOP, a while, SIGCONT: it wakes with its leases over."""
        name, seconds = self.chance.choice(PROCESSES), round(self.chance.triangular(*STALL_SECONDS, 5.0), 1)
        pid = self.town.nodes["node-1"].pids().get(name)
        if pid is None:
            return f"stall {name} (it was away)"
        stop_group(pid)
        try:
            self.town.sleep(seconds)
        finally:
            continue_group(pid)
        return f"stall {name} ({seconds} s)"

    def restart_valkey(self) -> str:
        """kill -9, away for a moment, back and empty."""
        self.town.is_reviving = False
        self.town.break_valkey()
        seconds = self.chance.choice((0.0, 3.0, 8.0))
        self.town.sleep(seconds)
        self.town.is_reviving = True
        return f"restart Valkey (away {seconds} s)"

    def empty_valkey(self) -> str:
        """FLUSHALL: every message, wake and result on its way is gone."""
        with contextlib.suppress(redis.RedisError):
            redis.Redis.from_url(self.town.services.urls()["REDIS_URL"], socket_timeout=5).flushall()
        return "empty Valkey"

    def restart_postgres(self) -> str:
        """An immediate shutdown and a recovery from the log."""
        self.town.is_reviving = False
        self.town.break_postgres()
        self.town.sleep(self.chance.choice((0.0, 3.0)))
        self.town.is_reviving = True
        return "restart PostgreSQL -m immediate"

    def refuse_messages(self) -> str:
        """The receiver answers with errors for a while, then well again."""
        bad: list[Any] = [self.chance.choice((500, 503, 429, 301)) for _ in range(self.chance.randint(1, 6))]
        self.town.receiver.replies[:] = [Reply(status) for status in bad] + [Reply(204)]
        return "receiver errors"

    def restart_cameras(self) -> str:
        """All connections to cameras are reset; they are away for a moment."""
        self.town.cameras.stop()
        try:
            self.town.sleep(self.chance.uniform(0.5, 6.0))
        finally:
            self.town.cameras.start()
        return "restart cameras"
