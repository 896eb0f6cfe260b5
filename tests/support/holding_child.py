"""A child for `Parent`: a real stream holder that writes down each frame it delivers.

Arguments: port of an HTTP camera, file to append `pid frame-time arrival` to, megabytes to leak for each frame.
To `FILE.ends` it appends `pid True` when nobody follows it, `pid False` when it is replaced.
"""

from __future__ import annotations

import os
import sys
import time

from tests.support.policies import LoopbackOnly
from workers.management.succession import Life
from workers.vision.frames import Frame
from workers.vision.holder import Demand, StreamHolder, StreamState, StreamWish

leaked: list[bytes] = []


def main(port: int, path: str, leak: float) -> None:
    life = Life()
    delivering = life.active.is_set()

    def deliver(_stream: str, frame: Frame, _demands: tuple[Demand, ...]) -> None:
        if not delivering or life.ended.is_set():
            return
        if leak:
            leaked.append(os.urandom(int(leak * 2**20)))
        with open(path, "a") as file:
            file.write(f"{os.getpid()} {frame.time.timestamp():.3f} {time.time():.3f}\n")

    wish = StreamWish(f"http://127.0.0.1:{port}/live", (Demand("keyframes", 0.2),))
    with StreamHolder(LoopbackOnly(port), deliver) as holder:
        holder.reconcile({"a": wish})
        while not life.active.is_set() and not life.ended.is_set():
            if holder.status()["a"].state is StreamState.ONLINE:
                life.ready()
            life.active.wait(0.1)
        holder.due_now()
        delivering = True
        life.ended.wait()
        delivering = False
        life.gone()
    with open(f"{path}.ends", "a") as file:
        file.write(f"{os.getpid()} {life.is_last}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
