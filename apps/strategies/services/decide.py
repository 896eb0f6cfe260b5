"""One raw event through the graph that decides about it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apps.core import clock
from apps.core.ids import key_id
from apps.events.models import RawEvent
from apps.events.services import Decision, attach_to_main, raise_event
from apps.strategies.choices import TraceVerdict
from apps.strategies.engine.run import run
from apps.strategies.engine.values import MergeInto, Outcome, Raise, RawInput, Stop
from apps.strategies.models import StrategyBinding, StrategyVersion, Trace
from apps.strategies.selectors import BindingTable
from apps.strategies.services.compiled import compiled, raw_input
from apps.strategies.services.state import MainEvents


def decide(raw: RawEvent, table: BindingTable, mains: MainEvents) -> Trace:
    """Raise, merge or stop, and store why; call inside a transaction. Doing it twice gives the same rows.

    Without an accepted event type the reason is `unmapped_item`, without a binding `no_strategy`.
    """
    if raw.event_type_id is None:
        return _trace(raw, None, Outcome(Stop("", "unmapped_item"), ()), None)
    binding = table.decide(raw.camera, raw.event_type_id, raw.time)
    if binding is None:
        return _trace(raw, None, Outcome(Stop("", "no_strategy"), ()), None)
    seen = raw_input(raw)
    outcome = run(compiled(binding.version), seen, mains)
    event = _act(raw, seen, binding, outcome, mains)
    return _trace(raw, binding.version, outcome, event)


def trace_id(raw: RawEvent, version: StrategyVersion | None) -> UUID:
    """Made from the raw event and the version: running twice stores one trace."""
    return key_id(raw.time, raw.pk, version.pk if version else "none")


def _act(
    raw: RawEvent, seen: RawInput, binding: StrategyBinding, outcome: Outcome, mains: MainEvents
) -> UUID | None:
    verdict = outcome.verdict
    if isinstance(verdict, Stop):
        return None
    if isinstance(verdict, MergeInto):
        event = attach_to_main(event_id=verdict.event_id, raw=raw)
    else:
        event = raise_event(raw=raw, decision=_decision(raw, binding, verdict))
    mains.seen(seen, event.pk)
    return event.pk


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
    values: dict[str, Any] = {
        "raw_event": raw.pk,
        "camera": raw.camera,
        "version": version,
        "time": raw.time,
        "verdict": _WORDS[type(verdict)],
        "component": verdict.component if isinstance(verdict, Stop) else "",
        "reason": verdict.reason if isinstance(verdict, Stop) else "",
        "event_id": event,
        "steps": [step.as_dict() for step in outcome.steps],
        "organisations": raw.organisations,
        "ran_at": clock.now(),
    }
    trace, _made = Trace.objects.update_or_create(pk=trace_id(raw, version), defaults=values)
    return trace


_WORDS = {Raise: TraceVerdict.RAISED, MergeInto: TraceVerdict.MERGED, Stop: TraceVerdict.STOPPED}
