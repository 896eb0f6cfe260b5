"""The analysis room hears of cameras."""

from __future__ import annotations

from typing import Any

from apps.core.wake import wake


def on_camera_changed(sender: Any, **news: Any) -> None:
    """A camera was added, changed, switched on or off: executions are brought in step."""
    wake("analysis")
