"""Execution specs as rooms hand them over (JSON), checked and compiled once.

`regions` null, missing or empty: nothing was drawn, the whole frame counts (rules that need a region answer
not_analysed(no_region)). `labels` of an item: an empty list means none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import jsonschema
import msgpack

from workers.vision.analysers import analysers
from workers.vision.decoders import decoders
from workers.vision.geometry import lines, polygons
from workers.vision.inference.precedence import Rank
from workers.vision.rules import RULE_PARAMETERS, SceneShapes, rules
from workers.vision.rules.base import DEFAULT_CONFIDENCE
from workers.vision.runtimes.prepare import InputSpec

_PARAMETERS = jsonschema.Draft202012Validator({"type": "object", "properties": RULE_PARAMETERS})
_RULES = {
    name: jsonschema.Draft202012Validator(
        {
            **rules.get(name).schema,
            "properties": {**rules.get(name).schema["properties"], "kind": {"const": name}},
        }
    )
    for name in rules
}


class BadSpec(ValueError):
    """A spec that cannot be run; the message names the part."""


@dataclass(frozen=True)
class ModelSpec:
    """One model of a package. Equal specs share one opened model and one run per frame."""

    package: str
    id: str
    path: Path
    sha256: str
    platform: str
    max_batch: int
    input: InputSpec
    decoder: str
    labels: tuple[str, ...]
    iou: float
    options: tuple[tuple[str, Any], ...]

    @property
    def key(self) -> tuple[str, str]:
        return self.sha256, self.platform


@dataclass(frozen=True)
class Item:
    """A detection item: what it is about and the rule that makes hits of it."""

    code: str
    labels: tuple[str, ...]
    kind: str
    options: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class ExecutionSpec:
    """Compiled: `digest` changes with anything that changes the answer."""

    execution: str
    digest: str
    model: ModelSpec | None
    analyser: str | None
    items: tuple[Item, ...]
    parameters: Mapping[str, Any]
    shapes: SceneShapes
    rank: Rank

    @cached_property
    def confidence(self) -> float:
        value = self.parameters.get("confidence")
        floors = [float(item.options["confidence"]) for item in self.items if "confidence" in item.options]
        return float(value) if value is not None else min(floors, default=DEFAULT_CONFIDENCE)

    @cached_property
    def stateful(self) -> bool:
        return self.analyser is not None or any(rules.get(item.kind).stateful for item in self.items)

    @cached_property
    def look_every(self) -> int:
        """At least one look in so many captures of a still scene; 0 for each. Memories need every picture."""
        return 0 if self.stateful else int(self.parameters.get("look_every") or 0)


def compile_spec(data: Mapping[str, Any]) -> ExecutionSpec:
    """Check and compile; the last few thousand different specs are remembered. Raises `BadSpec`."""
    try:
        packed = msgpack.packb(data, default=str)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadSpec(f"the spec is not plain data: {error}") from error
    return _compile(packed)


@lru_cache(maxsize=4096)
def _compile(packed: bytes) -> ExecutionSpec:
    data = msgpack.unpackb(packed)
    try:
        answering = {name: value for name, value in data.items() if name != "schedule"}
        return _build(data, hashlib.sha256(msgpack.packb(answering)).hexdigest())
    except BadSpec:
        raise
    except (KeyError, TypeError, ValueError, LookupError, AttributeError) as error:
        raise BadSpec(f"{type(error).__name__}: {error}") from error


def _build(data: Mapping[str, Any], digest: str) -> ExecutionSpec:
    parameters = dict(data.get("parameters") or {})
    _validate(
        _PARAMETERS, {name: value for name, value in parameters.items() if value is not None}, "parameters"
    )
    model, analyser = data.get("model"), data.get("analyser")
    if (model is None) == (analyser is None):
        raise BadSpec("a spec names either a model or an analyser")
    if analyser is not None:
        analysers.get(analyser)
    return ExecutionSpec(
        execution=str(data["execution"]),
        digest=digest,
        model=_model(data, model) if model is not None else None,
        analyser=analyser,
        items=tuple(_item(item) for item in data["items"]),
        parameters=parameters,
        shapes=SceneShapes(
            polygons(data.get("regions")), lines(data.get("lines")), polygons(data.get("masks"))
        ),
        rank=Rank.from_spec(data),
    )


def _item(data: Mapping[str, Any]) -> Item:
    rule = dict(data["rule"])
    kind = str(rule["kind"])
    rules.get(kind)
    _validate(_RULES[kind], rule, f"rule of {data['code']}")
    del rule["kind"]
    return Item(str(data["code"]), tuple(str(label) for label in data["labels"]), kind, rule)


def _model(data: Mapping[str, Any], entry: Mapping[str, Any]) -> ModelSpec:
    output = dict(entry["output"])
    decoder = str(output.pop("decoder"))
    decoders.get(decoder)
    labels = tuple(str(label) for label in output.pop("labels", ()))
    file = PurePosixPath(str(entry["file"]))
    if file.is_absolute() or ".." in file.parts:
        raise BadSpec(f"model file {file} is not inside the package")
    return ModelSpec(
        package=str(data["package"]),
        id=str(entry["id"]),
        path=Path(str(data["package_path"])) / file,
        sha256=str(entry["sha256"]).lower().removeprefix("sha256:"),
        platform=str(data.get("platform") or entry.get("platform") or "auto"),
        max_batch=int(entry.get("max_batch", 8)),
        input=InputSpec.from_manifest(entry["input"]),
        decoder=decoder,
        labels=labels,
        iou=float(output.pop("iou", 0.45)),
        options=tuple(sorted((name, _frozen(value)) for name, value in output.items())),
    )


def _frozen(value: Any) -> Any:
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value


def _validate(validator: Any, value: Any, where: str) -> None:
    error = next(iter(validator.iter_errors(value)), None)
    if error is not None:
        path = ".".join(str(part) for part in error.absolute_path)
        raise BadSpec(f"{where}{'.' + path if path else ''}: {error.message}")
