"""Graphs that turn raw events into events, and the record of what each did."""

from apps.strategies.models.run import PendingRun, Trace
from apps.strategies.models.strategy import Strategy, StrategyBinding, StrategyVersion

__all__ = ["PendingRun", "Strategy", "StrategyBinding", "StrategyVersion", "Trace"]
