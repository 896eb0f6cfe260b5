"""One raw event through the graph that decides about it: what to write, not yet written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from apps.core import clock
from apps.core.ids import key_id, uuid7
from apps.events.models import RawEvent
from apps.events.services import Attached, Decision, Raised, record_outcomes
from apps.strategies.choices import TraceVerdict
from apps.strategies.engine.run import run
from apps.strategies.engine.values import MergeInto, Outcome, Raise, RawInput, Stop
from apps.strategies.models import StrategyBinding, StrategyVersion, Trace
from apps.strategies.selectors import BindingTable
from apps.strategies.services.compiled import compiled, raw_input
from apps.strategies.services.state import BatchContext


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a raw event: its unsaved trace, and what the events room shall store."""

    trace: Trace
    outcome: Raised | Attached | None = None


def decide(raw: RawEvent, table: BindingTable, context: BatchContext) -> Judged:
    """Raise, merge or stop, and why; reads and writes nothing but `context`.

    Without an accepted event type the reason is `unmapped_item`, without a binding `no_strategy`.
    """
    if raw.event_type_id is None:
        return Judged(_trace(raw, None, Outcome(Stop("", "unmapped_item"), ()), None))
    binding = table.decide(raw.camera, raw.event_type_id, raw.time)
    if binding is None:
        return Judged(_trace(raw, None, Outcome(Stop("", "no_strategy"), ()), None))
    seen = raw_input(raw)
    outcome = run(compiled(binding.version), seen, context)
    found = _act(raw, seen, binding, outcome, context)
    return Judged(_trace(raw, binding.version, outcome, found.event_id if found else None), found)


def store(judged: Sequence[Judged]) -> None:
    """Events, repeats and traces of a batch; call inside a transaction. A run that has its trace keeps it."""
    record_outcomes([item.outcome for item in judged if item.outcome is not None])
    Trace.objects.bulk_create([item.trace for item in judged], ignore_conflicts=True)


def trace_id(raw: RawEvent, version: StrategyVersion | None) -> UUID:
    """Made from the raw event and the version: running twice stores one trace."""
    return key_id(raw.time, raw.pk, version.pk if version else "none")


def _act(
    raw: RawEvent, seen: RawInput, binding: StrategyBinding, outcome: Outcome, context: BatchContext
) -> Raised | Attached | None:
    verdict = outcome.verdict
    if isinstance(verdict, Stop):
        return None
    known = context.raised_by.get(raw.pk)
    found: Raised | Attached
    if known is not None:
        found = Attached(raw, known)  # it ran before: nothing is made twice
    elif isinstance(verdict, MergeInto):
        found = Attached(raw, verdict.event_id)
    else:
        found = Raised(raw, uuid7(), _decision(raw, binding, verdict))
    context.seen(seen, found.event_id)
    return found


def _decision(raw: RawEvent, binding: StrategyBinding, verdict: Raise) -> Decision:
    return Decision(
        strategy=binding.strategy_id,
        strategy_name=binding.strategy.name,
        strategy_version=binding.version_id,
        strategy_number=binding.version.number,
        trace=trace_id(raw, binding.version),
        window_s=verdict.window_s,
    )


def _trace(raw: RawEvent, version: StrategyVersion | None, outcome: Outcome, event: UUID | None) -> Trace:
    verdict = outcome.verdict
    return Trace(
        id=trace_id(raw, version),
        raw_event=raw.pk,
        camera_id=raw.camera_id,
        version_id=version.pk if version else None,
        time=raw.time,
        verdict=_WORDS[type(verdict)],
        component=verdict.component if isinstance(verdict, Stop) else "",
        reason=verdict.reason if isinstance(verdict, Stop) else "",
        event_id=event,
        steps=[step.as_dict() for step in outcome.steps],
        organisations=raw.organisations,
        ran_at=clock.now(),
    )


_WORDS = {Raise: TraceVerdict.RAISED, MergeInto: TraceVerdict.MERGED, Stop: TraceVerdict.STOPPED}
