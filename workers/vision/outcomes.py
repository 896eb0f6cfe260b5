"""How an analysis ends: hit, clear, or not analysed with a reason. "We did not look" is never "nothing there"."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    HIT = "hit"
    CLEAR = "clear"
    NOT_ANALYSED = "not_analysed"


class Reason(StrEnum):
    """Why a frame was not analysed; stable codes, translated by the rooms."""

    FRAME_LOST = "frame_lost"
    FRAME_CORRUPT = "frame_corrupt"
    FRAME_TOO_LARGE = "frame_too_large"
    ENGINE_ERROR = "engine_error"
    ENGINE_RESTARTED = "engine_restarted"
    ENGINE_CRASHED = "engine_crashed"
    ENGINE_BUSY = "engine_busy"
    BAD_SPEC = "bad_spec"
    MODEL_ERROR = "model_error"
    MODEL_MISSING = "model_missing"
    MODEL_CORRUPT = "model_corrupt"
    MODEL_REFUSED = "model_refused"
    OUT_OF_MEMORY = "out_of_memory"
    PREEMPTED = "preempted"
    OUTPUT_MISMATCH = "output_mismatch"
    LEARNING = "learning"
    SCENE_CHANGE = "scene_change"
    OUT_OF_ORDER = "out_of_order"
    NO_REGION = "no_region"
    UNCHANGED = "unchanged"
    """The one reason that a clear result can have: nothing had changed since the last look, which was clear."""


class NotAnalysed(Exception):
    """Raised by a rule or an analyser that cannot judge this frame."""

    def __init__(self, reason: Reason, message: str = "") -> None:
        super().__init__(message or reason.value)
        self.reason = reason
