"""The agent of a node: a heartbeat every 5 s with what the machine has and how busy it is."""

from __future__ import annotations

import os
import platform
import socket
import time
from datetime import datetime
from typing import Any

from django.conf import settings

from apps.core import clock
from apps.dispatch.choices import UnitKind
from apps.dispatch.services import heartbeat
from workers.capture.frames import FrameStore
from workers.node.models import ModelShelf
from workers.vision.engine_client import EngineClient, EngineError

BEAT_SECONDS = 5.0
COUNTED = frozenset({"packets", "decoded", "dropped", "corrupt", "frames", "failures", "engine_frames"})


class Agent:
    """Lives in the stream holder's process."""

    def __init__(self, store: FrameStore) -> None:
        self.started_at: datetime = clock.now()
        self._store = store
        self._engine = EngineClient(settings.VANTAGE_ENGINE_SOCKET, timeout=3.0, connect_timeout=1.0)
        self._facts = facts()
        self._models = ModelShelf()
        self._before: tuple[float, dict[str, float]] | None = None

    def beat(self, streams: dict[str, Any]) -> None:
        """Tell the database that this node lives."""
        engine = self._engine_stats()
        size, files = self._store.size()
        memory = memory_mb()
        units = [(UnitKind.CPU, 0, platform.processor() or platform.machine(), memory["total"])]
        for index, name in enumerate(engine.get("devices", [])):
            units.append((UnitKind.CUDA, index, str(name), 0))
        heartbeat(
            name=settings.VANTAGE_NODE,
            address=socket.gethostname(),
            started_at=self.started_at,
            facts={**self._facts, "providers": engine.get("providers", self._facts["providers"])},
            load={
                "load_1m": round(os.getloadavg()[0], 2),
                "memory_free_mb": memory["available"],
                "frames_mb": round(size / 2**20, 1),
                "frames": files,
                "engine": engine,
                "models": self._models.faults(),
                "streams": streams,
                "rates": self._rates({**streams, "engine_frames": engine.get("frames", 0)}),
            },
            units=units,
        )

    def _rates(self, counters: dict[str, Any]) -> dict[str, float]:
        """Per second since the last beat; a counter that fell (its process was restarted) counts as none."""
        moment = time.monotonic()
        present = {
            name: float(value)
            for name, value in counters.items()
            if isinstance(value, int | float) and name in COUNTED
        }
        before, self._before = self._before, (moment, present)
        if before is None or moment <= before[0]:
            return dict.fromkeys(present, 0.0)
        lasted = moment - before[0]
        return {
            name: round(max(0.0, value - before[1].get(name, value)) / lasted, 3)
            for name, value in present.items()
        }

    def _engine_stats(self) -> dict[str, Any]:
        try:
            return {"is_up": True, **self._engine.stats()}
        except (EngineError, OSError) as error:
            return {"is_up": False, "error": str(error)[:200]}


def facts() -> dict[str, Any]:
    """What does not change while the process lives."""
    from workers.vision.runtimes.providers import present

    return {
        "cores": os.cpu_count() or 1,
        "memory_mb": memory_mb()["total"],
        "machine": platform.machine(),
        "python": platform.python_version(),
        "providers": list(present()),
        "frames_limit_mb": settings.VANTAGE_FRAMES_MB,
    }


def memory_mb() -> dict[str, int]:
    """Total and available memory; zeros where /proc does not tell."""
    found = {"total": 0, "available": 0}
    try:
        with open("/proc/meminfo") as file:
            for line in file:
                name, _, rest = line.partition(":")
                if name in {"MemTotal", "MemAvailable"}:
                    found[name[3:].lower()] = int(rest.split()[0]) // 1024
    except OSError:
        pass
    return found
