"""Executions that ask for it are not run on captures of a scene that stays still (unchanged.py)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from workers.vision.frames import Image
from workers.vision.inference.results import Result, Timings, unchanged
from workers.vision.inference.spec import ExecutionSpec
from workers.vision.inference.states import StateStore
from workers.vision.outcomes import Outcome
from workers.vision.unchanged import ChangeGate, Grey, small_grey


class Gating:
    """The gates of one frame's executions: `skipped` first, `note` with what the others answered."""

    def __init__(
        self, states: StateStore, specs: Mapping[int, ExecutionSpec], image: Image, moment: datetime
    ) -> None:
        self._states, self._moment = states, moment
        self._gated = {index: spec for index, spec in specs.items() if spec.look_every}
        self._grey: Grey | None = small_grey(image) if self._gated else None

    def skipped(self, timings: Timings) -> dict[int, Result]:
        """Answers of the executions that need not look."""
        found: dict[int, Result] = {}
        if self._grey is None:
            return found
        for index, spec in self._gated.items():
            with self._states.of(spec.execution, spec.digest) as state:
                if state.time is not None and self._moment <= state.time:
                    continue  # late pictures are looked at, and change nothing here
                state.gate = state.gate or ChangeGate(spec.look_every)
                if state.gate.may_skip(self._grey):
                    state.time, state.answer = self._moment, unchanged(spec.execution, timings)
                    found[index] = state.answer
        return found

    def note(self, results: Mapping[int, Result]) -> None:
        """What looking gave."""
        if self._grey is None:
            return
        for index, spec in self._gated.items():
            result = results.get(index)
            if result is None:
                continue
            with self._states.of(spec.execution, spec.digest) as state:
                if state.gate is None or (state.time is not None and self._moment <= state.time):
                    continue
                state.gate.looked(self._grey, is_clear=result["outcome"] == Outcome.CLEAR)
                state.time, state.answer = self._moment, result
