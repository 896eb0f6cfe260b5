"""May a picture be analysed (gate), and how is the camera (health)?"""

from __future__ import annotations

from workers.vision.quality.gate import GateReason, gate
from workers.vision.quality.health import HealthConfig, HealthDetector, HealthState

__all__ = ["GateReason", "HealthConfig", "HealthDetector", "HealthState", "gate"]
