"""Running a raw event through a compiled graph."""

from __future__ import annotations

from time import perf_counter_ns

from apps.strategies.engine.base import Carried, Stopped
from apps.strategies.engine.graph import Compiled, Node
from apps.strategies.engine.values import Context, MergeInto, Outcome, Raise, RawInput, Step, Stop


def run(graph: Compiled, raw: RawInput, context: Context) -> Outcome:
    """The outcome of `raw`: the first road to an output decides; else the stop that came farthest.

    The same graph, raw event and context give the same verdict at any time and on any machine: nothing here
    reads a clock but to measure.
    """
    steps: list[Step] = []
    last_stop = Stop("event-in@1", "no_input")
    for name in graph.inputs:
        found = _walk(graph, name, Carried(raw), context, steps)
        if isinstance(found, Carried):
            verdict = Raise(found.window_s) if found.merge_into is None else MergeInto(found.merge_into)
            return Outcome(verdict, tuple(steps))
        last_stop = found
    return Outcome(last_stop, tuple(steps))


def _walk(
    graph: Compiled, name: str, carried: Carried, context: Context, steps: list[Step]
) -> Carried | Stop:
    """Depth first along the edges in the order they were drawn."""
    node = graph.nodes[name]
    answer = _judge(node, carried, context, steps)
    if isinstance(answer, Stop):
        return answer
    if not node.component.outputs:
        return answer
    last = Stop(node.component.name, "no_road")
    for following in graph.following[name]:
        found = _walk(graph, following, answer, context, steps)
        if isinstance(found, Carried):
            return found
        last = found
    return last


def _judge(node: Node, carried: Carried, context: Context, steps: list[Step]) -> Carried | Stop:
    began = perf_counter_ns()
    answer = node.component.judge(carried, node.parameters, context)
    us = (perf_counter_ns() - began) // 1000
    component = node.component.name
    if isinstance(answer, Stopped):
        steps.append(Step(node.id, component, "stopped", answer.reason, answer.detail, us))
        return Stop(component, answer.reason)
    verdict = "passed"
    if not node.component.outputs:
        verdict = "raised" if answer.carried.merge_into is None else "merged"
    steps.append(Step(node.id, component, verdict, "", answer.detail, us))
    return answer.carried
