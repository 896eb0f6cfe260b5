"""algorithm.yaml: reading it and saying clearly what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from workers.vision.analysers import analysers
from workers.vision.decoders import decoders
from workers.vision.packages.schema import MANIFEST
from workers.vision.rules import rules
from workers.vision.runtimes.prepare import InputSpec

FILE_NAME = "algorithm.yaml"
MAX_BYTES = 1024 * 1024


class ManifestError(ValueError):
    """algorithm.yaml cannot be used; `problems` are sentences, each naming the place."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Manifest:
    """The content of algorithm.yaml, checked against the schema and in itself."""

    data: Mapping[str, Any]

    @property
    def platform(self) -> str:
        return str(self.data["platform"])

    @property
    def runtime(self) -> str:
        return str(self.data["runtime"])

    @property
    def models(self) -> list[Mapping[str, Any]]:
        return list(self.data.get("models") or [])

    @property
    def algorithms(self) -> list[Mapping[str, Any]]:
        return list(self.data["algorithms"])

    def model(self, identity: str) -> Mapping[str, Any]:
        """The model of that id; raises KeyError."""
        for model in self.models:
            if model["id"] == identity:
                return model
        raise KeyError(identity)


class _Loader(yaml.SafeLoader):
    """Plain data without aliases (they can multiply a small file without end) and without doubled keys."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not allowed")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.YAMLError(f"{key!r} is given twice")
        return super().construct_mapping(node, deep)


def load_manifest(folder: Path) -> Manifest:
    """Read and check `algorithm.yaml` of an unpacked package; raises `ManifestError`."""
    path = folder / FILE_NAME
    if path.is_symlink() or not path.is_file():
        raise ManifestError([f"{FILE_NAME} is missing: put it at the top of the archive"])
    if path.stat().st_size > MAX_BYTES:
        raise ManifestError([f"{FILE_NAME} is larger than 1 MiB"])
    try:
        data = yaml.load(path.read_text("utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise ManifestError([f"{FILE_NAME} is no readable YAML: {error}"]) from error
    return parse_manifest(data)


def parse_manifest(data: Any) -> Manifest:
    """Check manifest data; raises `ManifestError` with every problem found."""
    validator = jsonschema.Draft202012Validator(MANIFEST)
    problems = [
        f"{'.'.join(map(str, error.absolute_path)) or FILE_NAME}: {error.message[:300]}"
        for error in sorted(
            validator.iter_errors(data), key=lambda error: list(map(str, error.absolute_path))
        )
    ]
    problems = problems or list(_inconsistencies(data))
    if problems:
        raise ManifestError(problems)
    return Manifest(data)


def _inconsistencies(data: Mapping[str, Any]) -> Iterator[str]:
    models = {model["id"]: model for model in data.get("models") or []}
    if len(models) != len(data.get("models") or []):
        yield "models: an id is used twice"
    algorithms = [(each["id"], each["version"]) for each in data["algorithms"]]
    if len(set(algorithms)) != len(algorithms):
        yield "algorithms: the same id and version appears twice"
    for index, model in enumerate(data.get("models") or []):
        yield from _model_problems(f"models.{index}", model, data["runtime"])
    for index, algorithm in enumerate(data["algorithms"]):
        yield from _algorithm_problems(f"algorithms.{index}", algorithm, data["runtime"], models)


def _model_problems(where: str, model: Mapping[str, Any], runtime: str) -> Iterator[str]:
    if runtime not in ("onnx", "triton"):
        return
    missing = [name for name in ("input", "output") if name not in model]
    if missing:
        yield f"{where}: {' and '.join(missing)} must be given for runtime {runtime}"
        return
    if model["output"]["decoder"] not in decoders:
        known = ", ".join(decoders.names())
        yield f"{where}.output.decoder: {model['output']['decoder']!r} is not one of {known}"
    if len(set(model["output"]["labels"])) != len(model["output"]["labels"]):
        yield f"{where}.output.labels: a label appears twice"
    try:
        InputSpec.from_manifest(model["input"])
    except ValueError as error:
        yield f"{where}.{error}"


def _algorithm_problems(
    where: str, algorithm: Mapping[str, Any], runtime: str, models: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    labels: set[str] | None = None
    if runtime == "builtin":
        if algorithm.get("analyser") not in analysers:
            known = ", ".join(analysers.names())
            yield f"{where}.analyser: {algorithm.get('analyser')!r} is not one of {known}"
    elif algorithm.get("model") not in models:
        yield f"{where}.model: {algorithm.get('model')!r} is not the id of a model of this package"
    elif "output" in models[algorithm["model"]]:
        labels = set(models[algorithm["model"]]["output"]["labels"])
    codes = [item["code"] for item in algorithm["items"]]
    if len(set(codes)) != len(codes):
        yield f"{where}.items: a code is used twice"
    for index, item in enumerate(algorithm["items"]):
        yield from _item_problems(f"{where}.items.{index}", item, labels)
    try:
        jsonschema.Draft202012Validator.check_schema(algorithm.get("parameters") or {})
    except jsonschema.SchemaError as error:
        yield f"{where}.parameters: no valid JSON Schema: {error.message[:200]}"


def _item_problems(where: str, item: Mapping[str, Any], labels: set[str] | None) -> Iterator[str]:
    if labels is not None:
        for label in item["labels"]:
            if label not in labels:
                yield f"{where}.labels: {label!r} is not a label of the model"
    kind = item["rule"]["kind"]
    if kind not in rules:
        yield f"{where}.rule.kind: {kind!r} is not one of {', '.join(rules.names())}"
        return
    options = {name: value for name, value in item["rule"].items() if name != "kind"}
    for error in jsonschema.Draft202012Validator(rules.get(kind).schema).iter_errors(options):
        yield f"{where}.rule: {error.message[:200]}"
