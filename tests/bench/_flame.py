"""Where the CPU time of several processes goes, as one flame graph: py-spy samples them, an SVG shows the sum.

Width is the share of all samples on a CPU, upwards are the callers' callees; hover shows the function and its share.
Frames of the interpreter, Celery or Django above a process's first line of the product are left out.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

RATE = 50
"""Samples a second and process."""
WIDTH, ROW, TOP = 1200, 16, 40
LEAST = 0.002
"""A smaller share than this is not drawn."""
PRODUCT = ("apps/", "workers/", "portal/")
COLOURS = {"process": "#9aa5b1", "product": "#e8884a", "database": "#6fa8dc", "other": "#e6c86e"}
Stack = tuple[str, ...]


@dataclass
class Node:
    """A function in its place in the stack, with its samples and what it called."""

    samples: int = 0
    children: dict[str, Node] = field(default_factory=dict)


def recorded(pids: Mapping[str, int], seconds: int, folder: Path) -> Counter[Stack]:
    """Sample the named processes with their children at the same time; (name, function, …) → samples.

    RuntimeError where py-spy may not look into them (it needs the right to trace: root, or ptrace_scope 0).
    """
    spies = {
        name: subprocess.Popen(command(pid, seconds, folder / f"{name}.raw")) for name, pid in pids.items()
    }
    for name, spy in spies.items():
        if spy.wait(seconds + 60) != 0:
            raise RuntimeError(f"py-spy could not record {name}")
    found: Counter[Stack] = Counter()
    for name in pids:
        found.update(stacks(name, (folder / f"{name}.raw").read_text(encoding="utf-8")))
    return found


def command(pid: int, seconds: int, output: Path) -> list[str]:
    """py-spy's command line; it stops the process for each look, else stacks would be torn."""
    spy = str(Path(sys.executable).with_name("py-spy"))
    options = ["--subprocesses", "--format", "raw", "--function", "--rate", str(RATE)]
    return [spy, "record", "--pid", str(pid), "--duration", str(seconds), *options, "--output", str(output)]


def stacks(name: str, raw: str) -> Counter[Stack]:
    """py-spy's lines `frame;frame count` as stacks that begin with the process's name."""
    found: Counter[Stack] = Counter()
    for line in raw.splitlines():
        joined, _, count = line.rpartition(" ")
        frames = [frame for frame in joined.split(";") if not frame.startswith("process ")]
        own = (index for index, frame in enumerate(frames) if any(f"({part}" in frame for part in PRODUCT))
        found[(name, *frames[next(own, 0) :])] += int(count)
    return found


def tree(samples: Mapping[Stack, int]) -> Node:
    """The stacks as one tree."""
    root = Node()
    for stack, count in samples.items():
        root.samples += count
        node = root
        for frame in stack:
            node = node.children.setdefault(frame, Node())
            node.samples += count
    return root


def draw(samples: Mapping[Stack, int], title: str) -> str:
    """The SVG, the processes at the bottom."""
    root = tree(samples)
    depth = height(root, root.samples * LEAST)
    tall = TOP + (depth + 1) * ROW
    boxes: list[str] = []
    stack = [(root, 0.0, 0, "")]
    while stack:
        node, left, level, frame = stack.pop()
        if frame:
            boxes.append(
                box(frame, left, tall - level * ROW, node.samples / root.samples, process=level == 1)
            )
        for name, child in sorted(node.children.items()):
            if child.samples >= root.samples * LEAST:
                stack.append((child, left, level + 1, name))
            left += child.samples * WIDTH / root.samples
    space = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {tall}"'
    head = f'<svg {space} font-family="monospace" font-size="11">'
    paper = f'<rect width="{WIDTH}" height="{tall}" fill="#fbfaf7"/>'
    words = f'<text x="8" y="22" font-size="14">{escape(title)}: {root.samples} samples</text>'
    return "\n".join([head, paper, words, *boxes, "</svg>", ""])


def height(node: Node, least: float) -> int:
    """Levels drawn above this one."""
    return max(
        (1 + height(child, least) for child in node.children.values() if child.samples >= least), default=0
    )


def box(frame: str, left: float, top: float, share: float, *, process: bool) -> str:
    """One function: its bar, its name where there is room, all of it on hover."""
    wide = share * WIDTH
    room = int(wide / 6.8)
    word = frame.split(" (")[0]
    word = word if len(word) <= room else word[: room - 1] + "…"
    label = f'<text x="{left + 3:.1f}" y="{top - 4:.1f}">{escape(word)}</text>' if room > 3 else ""
    bar = (
        f'<rect x="{left:.1f}" y="{top - ROW + 1:.1f}" width="{max(wide - 0.5, 0.5):.1f}" height="{ROW - 1}"'
    )
    kind = "process" if process else kind_of(frame)
    return f'<g><title>{escape(frame)} {share:.1%}</title>{bar} fill="{COLOURS[kind]}"/>{label}</g>'


def kind_of(frame: str) -> str:
    """What a function belongs to."""
    if any(f"({part}" in frame for part in PRODUCT):
        return "product"
    return "database" if "(psycopg" in frame or "(django/db" in frame else "other"
