"""F04: no message waits in the broker for longer than a minute: what is due later is a row with `due_at`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from apps.core import clock, outbox
from apps.core.models import OutboxMessage

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("apps", "workers", "portal", "demo")
LONGEST = 60
FORBIDDEN = {"apply_async", "retry", "signature", "s", "si", "subtask", "set", "shared_task", "task"}


def long_waits(source: str) -> Iterator[str]:
    """Calls of Celery's methods with `eta=`, or with a `countdown=` that is not a small number."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for word in node.keywords:
            if name in FORBIDDEN and word.arg == "eta":
                yield f"line {node.lineno}: eta="
            if name in FORBIDDEN and word.arg == "countdown":
                try:
                    seconds = float(ast.literal_eval(word.value))
                except (ValueError, TypeError):
                    seconds = float("inf")
                if seconds > LONGEST:
                    yield f"line {node.lineno}: countdown={ast.unparse(word.value)}"


@pytest.mark.parametrize(
    ("source", "number"),
    [
        ("task.apply_async(countdown=61)", 1),
        ("task.apply_async(countdown=minutes * 60)", 1),
        ("task.apply_async(eta=later)", 1),
        ("self.retry(countdown=3600)", 1),
        ("task.apply_async(countdown=60)", 0),
        ("task.apply_async(expires=600)", 0),
        ("figure.text(eta=1)", 0),
    ],
)
def test_f04_the_lint_sees_long_waits(source: str, number: int) -> None:
    assert len(list(long_waits(source))) == number


def test_f04_no_long_wait_in_the_broker() -> None:
    found = [
        f"{path.relative_to(ROOT)} {words}"
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        for words in long_waits(path.read_text(encoding="utf-8"))
    ]
    assert not found


@pytest.mark.django_db
def test_f04_a_row_that_is_due_in_hours_fires_once(monkeypatch: pytest.MonkeyPatch) -> None:
    handled: list[str] = []
    monkeypatch.setitem(
        outbox.handlers._items, "test.due", lambda batch: handled.extend(row.payload["n"] for row in batch)
    )
    begun = clock.now()
    outbox.write("test.due", {"n": "one"}, due_at=begun + timedelta(hours=3))
    with time_machine.travel(begun + timedelta(hours=2, minutes=59)):
        outbox.relay_once()
        assert handled == []
    with time_machine.travel(begun + timedelta(hours=3, seconds=1)):
        for _ in range(3):
            outbox.relay_once()
    assert handled == ["one"]
    assert not OutboxMessage.objects.filter(topic="test.due").exists()
