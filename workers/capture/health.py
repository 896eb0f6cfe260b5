"""What captures say about a camera: state, cause, findings. Each process remembers what its cameras usually show."""

from __future__ import annotations

from collections import OrderedDict
from uuid import UUID

from apps.devices.choices import CameraState
from apps.devices.models import Camera
from apps.devices.services import report_camera_state, report_health
from workers.vision.frames import Frame
from workers.vision.quality import HealthDetector, HealthState

DEGRADING = (HealthState.SIGNAL_LOST, HealthState.FROZEN, HealthState.BLACK, HealthState.BRIGHT)
MOST = 2000
MATURE = 3
"""Frames a process must have seen before its silence counts: another process may know more."""

_detectors: OrderedDict[tuple[UUID, int], tuple[HealthDetector, int]] = OrderedDict()


def report_picture(camera: Camera, preset: int, frame: Frame) -> None:
    """A picture came: on line, or degraded with its cause; findings opened and closed."""
    detector, seen = _detectors.pop((camera.pk, preset), (None, 0))
    detector = detector or HealthDetector()
    _detectors[(camera.pk, preset)] = (detector, seen + 1)
    if len(_detectors) > MOST:
        _detectors.popitem(last=False)
    findings = detector.update(frame)
    if not findings and seen + 1 < MATURE and camera.state == CameraState.DEGRADED:
        report_camera_state(camera.pk, camera.state, camera.state_cause, frame.time)
        return
    cause = next((state.value for state in DEGRADING if state in findings), "")
    state = CameraState.DEGRADED if cause else CameraState.ONLINE
    report_camera_state(camera.pk, state, cause, frame.time)
    if findings or seen + 1 >= MATURE:
        report_health(camera.pk, {finding.value: 1.0 for finding in findings})


def report_fault(camera: Camera, cause: str) -> None:
    """The camera gave no picture."""
    report_camera_state(camera.pk, CameraState.OFFLINE, cause)
