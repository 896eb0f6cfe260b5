"""The links of the chain: rooms on this floor and above add theirs where both are known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from apps.core.registry import Registry
from apps.dispatch.selectors.link import Link
from apps.dispatch.selectors.stage import Frame, Stage

Probe = Callable[[datetime, Any], Link]
#: "<place in the chain>-<key>" → (now, principal) → its link.
links: Registry[Probe] = Registry("link of the chain")

FrameStages = Callable[[Frame, Any], list[Stage]]
#: "<place on the road>-<key>" → (frame, principal) → what happened to it there.
frame_stages: Registry[FrameStages] = Registry("stage of a frame")
