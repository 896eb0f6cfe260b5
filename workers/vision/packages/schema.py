"""JSON Schema of algorithm.yaml, `vantage.package/v1`."""

from __future__ import annotations

from typing import Any

SCHEMA_ID = "vantage.package/v1"

_NAME = {
    "type": "object",
    "properties": {
        "zh": {"type": "string", "minLength": 1, "maxLength": 100},
        "en": {"type": "string", "maxLength": 100},
    },
    "required": ["zh"],
    "additionalProperties": False,
}
_WORDS = {"type": "array", "items": {"type": "string", "maxLength": 100}, "maxItems": 200}
_NUMBERS = {
    "anyOf": [
        {"type": "number"},
        {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 3},
    ]
}
_SLUG = {"type": "string", "pattern": r"^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 100}
_FILE = {"type": "string", "pattern": r"^(?!/)(?!.*(^|/)\.\.?(/|$))[^\\:\x00-\x1f]+$", "maxLength": 240}

INPUT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "width": {"type": "integer", "minimum": 8, "maximum": 4096},
        "height": {"type": "integer", "minimum": 8, "maximum": 4096},
        "color": {"enum": ["rgb", "bgr", "gray"]},
        "layout": {"enum": ["nchw", "nhwc"]},
        "scale": {"type": "number", "exclusiveMinimum": 0},
        "mean": _NUMBERS,
        "std": _NUMBERS,
        "letterbox": {"enum": [True, False, "topleft"]},
        "pad": {"type": "integer", "minimum": 0, "maximum": 255},
        "dtype": {"enum": ["float32", "uint8"]},
    },
    "required": ["width", "height"],
    "additionalProperties": False,
}

OUTPUT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "decoder": {"type": "string"},
        "labels": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "minItems": 1,
            "maxItems": 10000,
        },
        "iou": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    },
    "required": ["decoder", "labels"],
}

MODEL: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": _SLUG,
        "file": _FILE,
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "url": {"type": "string", "pattern": "^https?://", "maxLength": 2000},
        "max_batch": {"type": "integer", "minimum": 1, "maximum": 256},
        "input": INPUT,
        "output": OUTPUT,
    },
    "required": ["id", "file", "sha256"],
    "additionalProperties": False,
}

ITEM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "code": {"type": "string", "pattern": r"^[a-z0-9]+([._-][a-z0-9]+)*$", "maxLength": 100},
        "name": _NAME,
        "labels": {"type": "array", "items": {"type": "string"}, "maxItems": 1000},
        "rule": {"type": "object", "properties": {"kind": {"type": "string"}}, "required": ["kind"]},
        "proposes": {"type": "string", "maxLength": 20},
    },
    "required": ["code", "name", "labels", "rule"],
    "additionalProperties": False,
}

ALGORITHM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": _SLUG,
        "version": {
            "type": "string",
            "pattern": r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$",
        },
        "name": _NAME,
        "vendor": {"type": "string", "maxLength": 200},
        "license": {"type": "string", "maxLength": 200},
        "industry": _WORDS,
        "targets": _WORDS,
        "places": _WORDS,
        "task": {"enum": ["detect", "classify", "track", "segment", "measure", "embed"]},
        "sources": {
            "type": "array",
            "items": {"enum": ["image", "video"]},
            "minItems": 1,
            "uniqueItems": True,
        },
        "model": _SLUG,
        "analyser": {"type": "string"},
        "items": {"type": "array", "items": ITEM, "minItems": 1, "maxItems": 200},
        "parameters": {"type": "object"},
        "resources": {
            "type": "object",
            "properties": {
                "gpu_memory_mb": {"type": "number", "minimum": 0},
                "memory_mb": {"type": "number", "minimum": 0},
            },
        },
        "conditions": {"type": "object"},
        "scenes": {"type": "object", "properties": {"fit": {"type": "array"}, "unfit": {"type": "array"}}},
        "statement": {"type": ["object", "string"]},
    },
    "required": ["id", "version", "name", "task", "sources", "items"],
    "additionalProperties": False,
}

MANIFEST: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "schema": {"const": SCHEMA_ID},
        "platform": _SLUG,
        "runtime": {"enum": ["onnx", "builtin", "http", "triton"]},
        "models": {"type": "array", "items": MODEL, "maxItems": 50},
        "algorithms": {"type": "array", "items": ALGORITHM, "minItems": 1, "maxItems": 100},
    },
    "required": ["schema", "platform", "runtime", "algorithms"],
    "additionalProperties": False,
}
