"""Reading an ONNX file as data, before any runtime sees it.

External data must be plain files inside the package (CVE-2022-25882, CVE-2024-27318, CVE-2024-5187), operators
must be of the standard domains, and no tensor or shape may ask for more memory than a package is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

import onnx
from google.protobuf.message import DecodeError
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto

MAX_MODEL_BYTES = 2 * 2**30
MAX_TENSOR_ELEMENTS = 2**31
STANDARD_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc"})
FORBIDDEN_OPERATORS = frozenset({"PyOp", "PythonOp", "ATen", "ExternalCustomOp"})


def problems_of(path: Path, folder: Path) -> list[str]:
    """What makes this ONNX file unsafe to load; an empty list when nothing does."""
    if path.is_symlink() or path.stat().st_nlink != 1:
        return [f"{path.name} is a link"]
    if path.stat().st_size > MAX_MODEL_BYTES:
        return [f"{path.name} is larger than 2 GiB"]
    try:
        model = onnx.load_model(path, load_external_data=False)
    except (DecodeError, ValueError, OSError, onnx.checker.ValidationError) as error:
        return [f"{path.name} is no ONNX model: {error}"]
    if not model.graph.node:
        return [f"{path.name} is no ONNX model: it has no operators"]
    return list(dict.fromkeys(_problems(model, path, folder)))


def _problems(model: ModelProto, path: Path, folder: Path) -> Iterator[str]:
    for opset in model.opset_import:
        if opset.domain not in STANDARD_DOMAINS:
            yield f"operators of the domain {opset.domain!r} are not known here"
    functions = {(function.domain, function.name) for function in model.functions}
    for function in model.functions:
        for node in function.node:
            yield from _node_problems(node, functions)
    for graph in _graphs(model):
        for node in graph.node:
            yield from _node_problems(node, functions)
    for tensor in _tensors(model):
        yield from _tensor_problems(tensor, path, folder)


def _node_problems(node: NodeProto, functions: set[tuple[str, str]]) -> Iterator[str]:
    if node.op_type in FORBIDDEN_OPERATORS:
        yield f"the operator {node.op_type} runs foreign code"
    elif node.domain not in STANDARD_DOMAINS and (node.domain, node.op_type) not in functions:
        yield f"the custom operator {node.domain}::{node.op_type} is not known here"


def _tensor_problems(tensor: TensorProto, path: Path, folder: Path) -> Iterator[str]:
    elements = 1
    for size in tensor.dims:
        if size < 0:
            yield f"the tensor {tensor.name!r} has a negative size"
            return
        elements *= size
    if elements > MAX_TENSOR_ELEMENTS:
        yield f"the tensor {tensor.name!r} has {elements} elements"
    if tensor.data_location == TensorProto.EXTERNAL:
        yield from _external_problems(tensor, path, folder)


def _external_problems(tensor: TensorProto, path: Path, folder: Path) -> Iterator[str]:
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    name = f"external data of {tensor.name!r}"
    pure = PurePosixPath(location)
    if not location or pure.is_absolute() or len(pure.parts) != 1 or location in (".", ".."):
        yield f"{name}: {location[:80]!r} is not a plain file name"
        return
    if "\\" in location or ":" in location or not location.isprintable():
        yield f"{name}: {location[:80]!r} is not a plain file name"
        return
    target = path.parent / location
    if target.is_symlink() or not target.is_file() or not target.resolve().is_relative_to(folder.resolve()):
        yield f"{name}: {location[:80]!r} is no file of the package"
        return
    if target.stat().st_nlink != 1:
        yield f"{name}: {location[:80]!r} is a link"
        return
    try:
        offset, length = int(entries.get("offset", 0)), int(entries.get("length", 0))
    except ValueError:
        yield f"{name}: offset and length are not numbers"
        return
    if offset < 0 or length < 0 or offset + length > target.stat().st_size:
        yield f"{name}: reaches beyond the end of {location[:80]!r}"


def _graphs(model: ModelProto) -> Iterator[GraphProto]:
    yield from _with_subgraphs(model.graph)
    for function in model.functions:
        yield from _subgraphs(function.node)


def _with_subgraphs(graph: GraphProto) -> Iterator[GraphProto]:
    yield graph
    yield from _subgraphs(graph.node)


def _subgraphs(nodes: Iterable[NodeProto]) -> Iterator[GraphProto]:
    for node in nodes:
        for attribute in node.attribute:
            for graph in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs):
                yield from _with_subgraphs(graph)


def _tensors(model: ModelProto) -> Iterator[TensorProto]:
    for graph in _graphs(model):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
        yield from _attribute_tensors(graph.node)
    for function in model.functions:
        yield from _attribute_tensors(function.node)


def _attribute_tensors(nodes: Iterable[NodeProto]) -> Iterator[TensorProto]:
    for node in nodes:
        for attribute in node.attribute:
            yield from _tensors_of(attribute)


def _tensors_of(attribute: AttributeProto) -> Iterator[TensorProto]:
    if attribute.HasField("t"):
        yield attribute.t
    yield from attribute.tensors
    if attribute.HasField("sparse_tensor"):
        yield from (attribute.sparse_tensor.values, attribute.sparse_tensor.indices)
    for sparse in attribute.sparse_tensors:
        yield from (sparse.values, sparse.indices)
