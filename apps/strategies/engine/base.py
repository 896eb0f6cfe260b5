"""What a component is: ports, parameters, reasons, and how it judges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.strategies.engine.values import Context, RawInput

Parameters = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Carried:
    """What flows along an edge: the raw event (a node may leave out targets) and what nodes decided on the way."""

    raw: RawInput
    window_s: float = 0.0
    merge_into: Any = None
    """Id of the main event this is a repeat of; None as long as it is new."""


@dataclass(frozen=True, slots=True)
class Passed:
    """It goes on, perhaps changed."""

    carried: Carried
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stopped:
    """It ends here; `reason` is one the component declares."""

    reason: str
    detail: Mapping[str, Any] = field(default_factory=dict)


Judge = Callable[[Carried, Parameters, Context], Passed | Stopped]


@dataclass(frozen=True, slots=True)
class Words:
    """A text in both languages of the platform."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Component:
    """元件: `name` is `<slug>@<version>`, `parameters` a JSON Schema object, `reasons` code → words.

    `inputs` and `outputs` are port names. `is_stateful` says that it asks the context for what happened before.
    """

    name: str
    title: Words
    judge: Judge
    parameters: Mapping[str, Any] = field(default_factory=dict)
    reasons: Mapping[str, Words] = field(default_factory=dict)
    inputs: tuple[str, ...] = ("in",)
    outputs: tuple[str, ...] = ("out",)
    is_stateful: bool = False

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of the parameters: nothing else is accepted."""
        return {"type": "object", "properties": dict(self.parameters), "additionalProperties": False}

    def with_defaults(self, parameters: Parameters) -> dict[str, Any]:
        """The parameters with the schema's defaults for those that are missing."""
        defaults = {name: spec["default"] for name, spec in self.parameters.items() if "default" in spec}
        return {**defaults, **parameters}
