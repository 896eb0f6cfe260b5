"""The examples of docs/developer.md run, in order, against a live server."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.openapi import builders

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "developer.md"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.django_db(transaction=True)
def test_the_examples_of_the_developer_guide_run(
    live_server: Any, monkeypatch: pytest.MonkeyPatch, outbound_exact: list[str]
) -> None:
    port = _free_port()
    outbound_exact.append(f"127.0.0.1:{port}")
    key = builders.key(None, "subscriptions:read", "subscriptions:write")
    monkeypatch.setenv("VANTAGE_URL", live_server.url)
    monkeypatch.setenv("VANTAGE_KEY", key.text)
    monkeypatch.setenv("PORT", str(port))
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert len(blocks) >= 6
    names: dict[str, Any] = {"__name__": "guide"}
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"developer.md block {number}", "exec"), names)
