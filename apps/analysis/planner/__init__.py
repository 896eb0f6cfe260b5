"""What is looked at when: a heap over cameras writes slots ahead of time and hands out those that are due."""

from apps.analysis.planner.heap import Agenda, Wanted, slot_id
from apps.analysis.planner.tick import Tick, plan_tick

__all__ = ["Agenda", "Tick", "Wanted", "plan_tick", "slot_id"]
