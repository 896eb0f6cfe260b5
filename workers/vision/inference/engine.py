"""The engine's core, free of processes and sockets.

One frame with all its executions: decoded once, prepared once per input geometry, each model run once, each
analyser stepped once, then every execution's rules. What fails for one execution fails for that one only.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workers.vision.analysers import AnalyserSettings, analysers
from workers.vision.decoders import DecodeError, DecoderContext, decoders
from workers.vision.detections import Detection
from workers.vision.frames import Frame, Image
from workers.vision.geometry import Placement
from workers.vision.inference.gating import Gating
from workers.vision.inference.precedence import Rank
from workers.vision.inference.results import Result, Timings, item_hits, judged, not_analysed
from workers.vision.inference.room import ModelOpener, Room
from workers.vision.inference.sizes import needed_size
from workers.vision.inference.spec import BadSpec, ExecutionSpec, ModelSpec, compile_spec
from workers.vision.inference.states import ExecutionState, StateStore
from workers.vision.looks import BadLook, read_look
from workers.vision.outcomes import NotAnalysed, Reason
from workers.vision.rendition.decode import ImageRefused, decode_image
from workers.vision.rules import RuleContext, rules
from workers.vision.rules.base import candidates
from workers.vision.runtimes.base import Model, ModelError, Tensor
from workers.vision.runtimes.cache import ModelCache
from workers.vision.runtimes.checksum import verify
from workers.vision.runtimes.onnx import OnnxModel
from workers.vision.runtimes.prepare import Canvases, InputSpec, prepare
from workers.vision.runtimes.served import ServedModel

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FrameRef:
    """A picture on this node by path, and the moment it shows; `look` is its small raw copy, where there is one."""

    path: Path
    time: datetime
    look: Path | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FrameRef:
        seconds, micros = divmod(int(data["time_us"]), 1_000_000)
        moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)
        return cls(Path(str(data["path"])), moment, Path(str(data["look"])) if data.get("look") else None)


@dataclass(frozen=True)
class EngineLimits:
    """Bytes of models kept open, and of memories of stateful executions."""

    model_bytes: int = 2 * 2**30
    state_bytes: int = 512 * 2**20


@dataclass
class _Work:
    """One frame on its way; what executions share is kept here."""

    image: Image
    time: datetime
    timings: Timings
    may_fall_back: bool = True
    tensors: dict[InputSpec, tuple[Tensor, Placement]] = field(default_factory=dict)


def open_onnx(spec: ModelSpec, platform: str) -> Model:
    """Check the file's SHA-256, then open it. Raises `ModelError`."""
    verify(spec.path, spec.sha256)
    return OnnxModel(spec.path, platform=platform, max_batch=spec.max_batch)


class Engine:
    """Thread-safe: call `analyse` from as many threads as there are cores."""

    def __init__(self, limits: EngineLimits | None = None, open_model: ModelOpener = open_onnx) -> None:
        limits = limits or EngineLimits()
        self.models: ModelCache[ServedModel] = ModelCache(limits.model_bytes)
        self.states = StateStore(limits.state_bytes)
        self.faulty: dict[str, str] = {}
        """Model files that did not pass, SHA-256 → reason; the node agent reports them."""
        self.frames = self.frames_lost = self.executions = self.looks = self.unchanged = 0
        self.room = Room(self.models, self.faulty, open_model)
        self._own = threading.local()

    def analyse(
        self, frame: Frame | FrameRef, specs: Sequence[Mapping[str, Any]], *, may_fall_back: bool = True
    ) -> list[Result]:
        """One result per spec, in order. Never raises for a frame, a model or a rule that fails.

        Not `may_fall_back`: a model that finds no room on its device answers so, instead of running on the CPU.
        """
        self.frames += 1
        self.executions += len(specs)
        results: dict[int, Result] = {}
        compiled: dict[int, ExecutionSpec] = {}
        for index, data in enumerate(specs):
            try:
                compiled[index] = compile_spec(data)
            except BadSpec as error:
                log.warning("execution %s cannot run: %s", _name(data), error)
                results[index] = not_analysed(_name(data), Reason.BAD_SPEC)
        remaining = {}
        for index, spec in compiled.items():
            known = self._remembered(spec, frame.time)
            if known is None:
                remaining[index] = spec
            else:
                results[index] = known
        if remaining:
            results.update(self._analyse_compiled(frame, remaining, may_fall_back))
        return [results[index] for index in range(len(specs))]

    def stats(self) -> dict[str, Any]:
        """Counters since the start and what is resident now; plain data."""
        return {
            "frames": self.frames,
            "frames_lost": self.frames_lost,
            "looks": self.looks,
            "unchanged": self.unchanged,
            "executions": self.executions,
            "loads": self.models.loads,
            "evictions": self.models.evictions,
            "resident_bytes": self.models.resident_bytes(),
            "models": self.models.map_resident(_describe),
            "states": len(self.states),
            "state_evictions": self.states.evictions,
            "faulty_models": dict(self.faulty),
            "preempted": self.room.preempted,
            "preemptions": list(self.room.preemptions),
        }

    def unload(self) -> int:
        """Close the models that are not in use; returns how many."""
        return self.models.unload()

    # ---- one frame -------------------------------------------------------------------------------------

    def _analyse_compiled(
        self, frame: Frame | FrameRef, specs: Mapping[int, ExecutionSpec], may_fall_back: bool
    ) -> dict[int, Result]:
        try:
            work = self._open_frame(frame, specs.values())
            work.may_fall_back = may_fall_back
        except NotAnalysed as fault:
            self.frames_lost += 1
            return {index: not_analysed(spec.execution, fault.reason) for index, spec in specs.items()}
        gating = Gating(self.states, specs, work.image, work.time)
        skipped = gating.skipped(work.timings)
        self.unchanged += len(skipped)
        groups: dict[ModelSpec | None, list[int]] = {}
        for index, spec in specs.items():
            if index not in skipped:
                groups.setdefault(spec.model, []).append(index)
        results: dict[int, Result] = {}
        for model, members in groups.items():
            chosen = {index: specs[index] for index in members}
            results.update(
                self._by_analyser(work, chosen) if model is None else self._by_model(work, model, chosen)
            )
        gating.note(results)
        return {**skipped, **results}

    def _open_frame(self, frame: Frame | FrameRef, specs: Collection[ExecutionSpec]) -> _Work:
        if isinstance(frame, Frame):
            if frame.corrupt:
                raise NotAnalysed(Reason.FRAME_CORRUPT)
            return _Work(frame.image, frame.time, {})
        started = time.perf_counter()

        def fit(width: int, height: int) -> tuple[int, int]:
            return needed_size(specs, width, height)

        try:
            image = self._look(frame.look, fit)
            if image is None:
                image = decode_image(frame.path, fit=fit)
        except ImageRefused as error:
            raise NotAnalysed(Reason(error.code), str(error)) from error
        except OSError as error:
            raise NotAnalysed(Reason.FRAME_LOST, f"{frame.path.name}: {error.strerror}") from error
        return _Work(image, frame.time, {"decode_ms": (time.perf_counter() - started) * 1e3})

    def _look(self, path: Path | None, fit: Callable[[int, int], tuple[int, int]]) -> Image | None:
        """The frame's small raw copy, if it is there and large enough for all who look at it."""
        if path is None:
            return None
        try:
            look = read_look(path)
        except (OSError, BadLook):
            return None
        if not look.serves(*fit(look.width, look.height)):
            return None
        self.looks += 1
        return look.image

    @property
    def _canvases(self) -> Canvases:
        """Of the calling thread, which has done with a tensor when the frame is done."""
        canvases: Canvases | None = getattr(self._own, "canvases", None)
        if canvases is None:
            canvases = self._own.canvases = Canvases()
        return canvases

    # ---- models ----------------------------------------------------------------------------------------

    def _by_model(
        self, work: _Work, model: ModelSpec, specs: Mapping[int, ExecutionSpec]
    ) -> dict[int, Result]:
        timings = dict(work.timings)
        try:
            rank = Rank.of(spec.rank for spec in specs.values())
            confidence = min(spec.confidence for spec in specs.values())
            detections = self._detect(work, model, rank, confidence, timings)
        except ModelError as error:
            log.warning("model %s of package %s: %s", model.id, model.package[:12], error)
            if error.reason in (Reason.MODEL_MISSING, Reason.MODEL_CORRUPT, Reason.MODEL_REFUSED):
                self.faulty[model.sha256] = error.reason
            reason = error.reason
        except DecodeError as error:
            log.warning("model %s of package %s: %s", model.id, model.package[:12], error)
            reason = Reason.OUTPUT_MISMATCH
        except Exception:
            log.exception("model %s of package %s failed", model.id, model.package[:12])
            reason = Reason.ENGINE_ERROR
        else:
            return {
                index: self._judge(spec, work, lambda _spec, _state: detections, timings)
                for index, spec in specs.items()
            }
        return {index: not_analysed(spec.execution, reason, timings) for index, spec in specs.items()}

    def _detect(
        self, work: _Work, model: ModelSpec, rank: Rank, confidence: float, timings: Timings
    ) -> list[Detection]:
        started = time.perf_counter()
        if model.input not in work.tensors:
            work.tensors[model.input] = prepare(work.image, model.input, self._canvases)
        tensor, placement = work.tensors[model.input]
        prepared = time.perf_counter()
        with self.room.lend(model, rank, work.may_fall_back) as served:
            opened = time.perf_counter()
            outputs = served.infer(tensor)
        ran = time.perf_counter()
        context = DecoderContext(placement, model.labels, confidence, model.iou, dict(model.options))
        found = list(decoders.get(model.decoder)(outputs, context))
        timings["prepare_ms"] = (prepared - started) * 1e3
        timings["model_ms"] = (ran - opened) * 1e3
        timings["rules_ms"] = (time.perf_counter() - ran) * 1e3
        return found

    # ---- analysers and rules ---------------------------------------------------------------------------

    def _by_analyser(self, work: _Work, specs: Mapping[int, ExecutionSpec]) -> dict[int, Result]:
        return {
            index: self._judge(spec, work, lambda spec, state: _step(spec, state, work), dict(work.timings))
            for index, spec in specs.items()
        }

    def _judge(
        self,
        spec: ExecutionSpec,
        work: _Work,
        look: Callable[[ExecutionSpec, ExecutionState], Sequence[Detection]],
        timings: Timings,
    ) -> Result:
        """Detections → rules → result, under the execution's lock where it keeps a memory."""
        if not spec.stateful:
            return self._result(spec, ExecutionState(spec.digest), work, look, timings)
        with self.states.of(spec.execution, spec.digest) as state:
            if state.time is not None and work.time <= state.time:
                if work.time == state.time and state.answer is not None:
                    return state.answer
                return not_analysed(spec.execution, Reason.OUT_OF_ORDER, timings)
            state.answer = self._result(spec, state, work, look, timings)
            state.time = work.time
            return state.answer

    def _result(
        self,
        spec: ExecutionSpec,
        state: ExecutionState,
        work: _Work,
        look: Callable[[ExecutionSpec, ExecutionState], Sequence[Detection]],
        timings: Timings,
    ) -> Result:
        started = time.perf_counter()
        try:
            hits = _hits(spec, state, look(spec, state), work.time)
        except NotAnalysed as fault:
            return not_analysed(spec.execution, fault.reason, timings)
        except Exception:
            log.exception("execution %s failed", spec.execution)
            return not_analysed(spec.execution, Reason.ENGINE_ERROR, timings)
        spent = (time.perf_counter() - started) * 1e3
        return judged(spec.execution, hits, {**timings, "rules_ms": timings.get("rules_ms", 0.0) + spent})

    def _remembered(self, spec: ExecutionSpec, moment: datetime) -> Result | None:
        """The answer to a repeat, given even when the frame's file is already gone."""
        if not (spec.stateful or spec.look_every):
            return None
        with self.states.of(spec.execution, spec.digest) as state:
            return state.answer if state.time == moment else None


def _step(spec: ExecutionSpec, state: ExecutionState, work: _Work) -> list[Detection]:
    if state.analyser is None:
        settings = AnalyserSettings(spec.parameters, spec.shapes)
        state.analyser = analysers.get(spec.analyser or "")(settings)
    return state.analyser.step(work.image, work.time)


def _hits(
    spec: ExecutionSpec, state: ExecutionState, detections: Sequence[Detection], moment: datetime
) -> list[dict[str, Any]]:
    hits: list[dict[str, Any]] = []
    for item in spec.items:
        memory = state.memories.setdefault(item.code, {})
        context = RuleContext(spec.shapes, item.options, spec.parameters, moment, memory)
        chosen = candidates(detections, item.labels, context)
        hits.extend(item_hits(item.code, rules.get(item.kind).evaluate(chosen, context)))
    return hits


def _describe(model: ServedModel) -> dict[str, Any]:
    return {
        "runs": model.runs,
        "model_ms": round(model.busy_seconds / model.runs * 1e3, 3) if model.runs else 0.0,
        "memory_bytes": model.memory_bytes,
        "providers": list(model.providers),
        "degraded": model.degraded,
    }


def _name(data: Any) -> str:
    return str(data.get("execution", "")) if isinstance(data, Mapping) else ""
