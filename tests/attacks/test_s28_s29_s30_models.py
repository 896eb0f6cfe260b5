"""S28, S29, S30: models that carry code, reach for foreign files, or ask for everything."""

from __future__ import annotations

import os
import pickle

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.vision.engine_models import brightness_model, manifest, package, save_model, write_manifest
from workers.vision.packages.check import check_package
from workers.vision.packages.onnx_safety import problems_of
from workers.vision.packages.sandbox import SandboxFailed, SandboxLimits, run_module


class Payload:
    def __reduce__(self):
        return (os.system, ("touch /tmp/vantage-s28-was-run",))


@pytest.mark.parametrize("name", ["model/det.pt", "model/det.pkl", "model/det.bin", "model/weights.pth"])
@pytest.mark.parametrize("protocol", [2, 5])
def test_s28_a_pickle_is_refused_and_never_loaded(tmp_path, name, protocol):
    folder = package(tmp_path / "p")
    (folder / name).write_bytes(pickle.dumps(Payload(), protocol))
    report = check_package(folder)
    assert [rule.id for rule in report.rules if rule.passed is False] == ["no-code"]
    assert not os.path.exists("/tmp/vantage-s28-was-run")


def test_s28_a_pickle_named_onnx(tmp_path):
    folder = package(tmp_path / "p")
    (folder / "model" / "det.onnx").write_bytes(pickle.dumps(Payload(), 2))
    assert not check_package(folder).passed
    assert not os.path.exists("/tmp/vantage-s28-was-run")


@pytest.mark.parametrize("name", ["main.py", "model/op.so", "setup.sh", "a.PY"])
def test_s31_code_is_refused(tmp_path, name):
    folder = package(tmp_path / "p")
    (folder / name).write_bytes(b"x")
    assert [rule.id for rule in check_package(folder).rules if rule.passed is False] == ["no-code"]


def external(folder, location: str, where: str = "initializer", **entries: str):
    """The model with a weight that lies in another file."""
    path = brightness_model(folder / "model" / "det.onnx")
    model = onnx.load(path)
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=value)
    if where == "initializer":
        model.graph.initializer.append(tensor)
    elif where == "constant":
        node = helper.make_node("Constant", [], ["w"])
        node.attribute.append(onnx.AttributeProto(name="value", type=onnx.AttributeProto.TENSOR, t=tensor))
        model.graph.node.append(node)
    else:
        inner = helper.make_graph([], "inner", [], [], [])
        inner.initializer.append(tensor)
        branch = helper.make_node("If", ["c"], ["o"], then_branch=inner, else_branch=inner)
        model.graph.node.append(branch)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("where", ["initializer", "constant", "subgraph"])
@pytest.mark.parametrize(
    "location",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "..",
        ".",
        "",
        "sub/weights.bin",
        "..\\weights.bin",
        "C:weights.bin",
        "missing.bin",
        "weights\n.bin",
        "../model/weights.bin",
    ],
)
def test_s29_foreign_files_are_refused_before_loading(tmp_path, where, location):
    assert problems_of(external(tmp_path, location, where), tmp_path)


@pytest.mark.parametrize("kind", ["symlink", "hardlink"])
def test_s29_links_in_place_of_data(tmp_path, kind):
    secret = tmp_path / "secret"
    secret.write_bytes(b"0123456789abcdef")
    folder = tmp_path / "p"
    path = external(folder, "weights.bin")
    link = folder / "model" / "weights.bin"
    link.symlink_to(secret) if kind == "symlink" else os.link(secret, link)
    assert problems_of(path, folder)


@pytest.mark.parametrize(
    ("entries", "sound"),
    [
        ({}, True),
        ({"offset": "0", "length": "16"}, True),
        ({"offset": "8", "length": "16"}, False),
        ({"offset": "-4"}, False),
        ({"length": "99999999999"}, False),
        ({"offset": "x"}, False),
    ],
)
def test_s29_data_inside_the_package_must_fit(tmp_path, entries, sound):
    path = external(tmp_path, "weights.bin", **entries)
    (tmp_path / "model" / "weights.bin").write_bytes(b"\0" * 16)
    assert (problems_of(path, tmp_path) == []) is sound


def test_s29_a_whole_package_that_reads_etc_passwd(tmp_path):
    folder = package(tmp_path / "p")
    write_manifest(folder, manifest(external(folder, "../../../../../../etc/passwd")))
    report = check_package(folder)
    (rule,) = [rule for rule in report.rules if rule.passed is False]
    assert rule.id == "onnx-safe"
    assert "root:" not in rule.message


def with_node(folder, node) -> object:
    path = brightness_model(folder / "model" / "det.onnx")
    model = onnx.load(path)
    model.graph.node.append(node)
    if node.domain:
        model.opset_import.append(helper.make_opsetid(node.domain, 1))
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize(
    ("operator", "domain"), [("Steal", "evil.ops"), ("PyOp", ""), ("PythonOp", "com.microsoft")]
)
def test_s30_custom_operators_are_refused(tmp_path, operator, domain):
    assert problems_of(
        with_node(tmp_path, helper.make_node(operator, ["image"], ["x"], domain=domain)), tmp_path
    )


def giant(path, dims: list[int]):
    """A model that fills a tensor of these dimensions when it runs."""
    weights = [
        numpy_helper.from_array(np.array(dims, np.int64), "dims"),
        numpy_helper.from_array(np.array([1, 5, 1], np.int64), "out"),
    ]
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], keepdims=0),
        helper.make_node("Expand", ["mean", "dims"], ["huge"]),
        helper.make_node("ReduceMax", ["huge"], ["max"], keepdims=0),
        helper.make_node("Expand", ["max", "out"], ["output"]),
    ]
    return save_model(path, nodes, weights, 64, [1, 5, 1])


def test_s30_a_model_that_wants_a_terabyte_ends_in_its_child(tmp_path):
    folder = package(tmp_path / "p")
    write_manifest(folder, manifest(giant(folder / "model" / "det.onnx", [1024, 1024, 1024, 256])))
    report = check_package(folder, SandboxLimits(memory_bytes=4 * 2**30, seconds=60))
    (rule,) = [rule for rule in report.rules if rule.passed is False]
    assert rule.id in ("opens", "decodes")


def test_s30_a_tensor_that_claims_more_than_there_is(tmp_path):
    path = brightness_model(tmp_path / "model" / "det.onnx")
    model = onnx.load(path)
    model.graph.initializer.append(TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2**20, 2**20]))
    path.write_bytes(model.SerializeToString())
    assert problems_of(path, tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"not onnx at all", os.urandom(5000)])
def test_s30_what_is_no_model(tmp_path, content):
    (tmp_path / "m.onnx").write_bytes(content)
    assert problems_of(tmp_path / "m.onnx", tmp_path)


def probe(attempt: str, limits: SandboxLimits | None = None):
    """What happens when confined code tries this; True = it worked."""
    return run_module("tests.attacks.sandbox_probe", [], attempt, limits or SandboxLimits(seconds=30))


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.socket(socket.AF_INET)",
        "import socket; socket.socket(socket.AF_UNIX)",
        "import os; os.execv('/bin/true', ['true'])",
        "import subprocess; subprocess.run(['/bin/true'], check=True)",
        "open('/tmp/vantage-s30-written', 'wb', 0).write(b'x' * 100)",
        "bytearray(64 * 2**30)",
    ],
)
def test_s30_the_child_can_neither_call_nor_start_nor_write(attempt):
    answer = probe(attempt)
    assert answer["sealed"]
    assert answer["worked"] is False
    if os.path.exists("/tmp/vantage-s30-written"):
        assert os.path.getsize("/tmp/vantage-s30-written") == 0
        os.unlink("/tmp/vantage-s30-written")


def test_s30_the_child_sees_no_secret(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://user:canary@host/db")
    assert probe("import os; assert 'canary' not in str(dict(os.environ)); ")["worked"]


def test_s30_the_child_that_does_not_end_is_ended():
    with pytest.raises(SandboxFailed) as failure:
        probe("while True: pass", SandboxLimits(seconds=2))
    assert failure.value.code in ("timeout", "crashed")
