"""Packages: manifest, fingerprint, the check rule by rule."""

from __future__ import annotations

import hashlib
import json

import cv2
import numpy as np
import pytest
import yaml

from tests.vision.engine_models import (
    MEDIA,
    brightness_model,
    manifest,
    needs_media,
    package,
    picture,
    sha,
    write_manifest,
)
from workers.vision.packages.check import check_package
from workers.vision.packages.files import fingerprint
from workers.vision.packages.manifest import ManifestError, load_manifest, parse_manifest


def failed(report):
    """The id of the rule that did not pass, and its message."""
    rule = next(rule for rule in report.rules if rule.passed is False)
    assert rule.mend
    return rule.id, rule.message


def test_a_sound_package_passes_every_rule(tmp_path):
    report = check_package(package(tmp_path / "p"))
    assert report.passed, report.as_dict()
    assert [rule.id for rule in report.rules] == [
        "files",
        "no-code",
        "schema",
        "model-files",
        "onnx-safe",
        "samples",
        "opens",
        "decodes",
        "samples-match",
    ]
    assert report.fingerprint == fingerprint(tmp_path / "p")
    json.dumps(report.as_dict())


def test_the_fingerprint_is_the_hash_of_the_sorted_list(tmp_path):
    folder = tmp_path / "p"
    (folder / "b").mkdir(parents=True)
    (folder / "b" / "x.txt").write_text("1")
    (folder / "a.txt").write_text("2")
    lines = "".join(
        f"{name}\0{hashlib.sha256(text).hexdigest()}\n" for name, text in (("a.txt", b"2"), ("b/x.txt", b"1"))
    )
    assert fingerprint(folder) == hashlib.sha256(lines.encode()).hexdigest()
    (folder / "a.txt").rename(folder / "c.txt")
    assert fingerprint(folder) != hashlib.sha256(lines.encode()).hexdigest()


def expected_of(folder, **changes):
    path = folder / "samples" / "expected.json"
    data = json.loads(path.read_text())
    data[0]["detections"][0].update(changes)
    path.write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("spoil", "rule", "words"),
    [
        (lambda f: (f / "run.py").write_text("print()"), "no-code", "run.py"),
        (lambda f: (f / "link").symlink_to("/etc/passwd"), "files", "link"),
        (lambda f: (f / "algorithm.yaml").unlink(), "schema", "missing"),
        (lambda f: (f / "model" / "det.onnx").unlink(), "model-files", "det.onnx is missing"),
        (lambda f: (f / "model" / "det.onnx").write_bytes(b"x"), "model-files", "SHA-256"),
        (lambda f: (f / "samples" / "expected.json").unlink(), "samples", "expected.json is missing"),
        (lambda f: (f / "samples" / "expected.json").write_text("[]"), "samples", "no sample"),
        (lambda f: (f / "samples" / "bright.png").unlink(), "samples", "bright.png"),
        (lambda f: (f / "samples" / "bright.png").write_text("x"), "samples-match", "bright.png"),
        (lambda f: expected_of(f, score=0.7), "samples-match", "score 0.800"),
        (lambda f: expected_of(f, box=[0.3, 0.25, 0.5, 0.5]), "samples-match", "IoU"),
        (lambda f: expected_of(f, image="../../etc/passwd"), None, None),
    ],
)
def test_each_rule_names_what_is_wrong(tmp_path, spoil, rule, words):
    folder = package(tmp_path / "p")
    spoil(folder)
    report = check_package(folder)
    if rule is None:
        assert report.passed
        return
    assert not report.passed
    assert report.fingerprint == ""
    found, message = failed(report)
    assert found == rule
    assert words in message
    names = [each.id for each in report.rules]
    assert all(each.passed is None for each in report.rules[names.index(rule) + 1 :])


@pytest.mark.parametrize("score", [0.79, 0.81])
def test_scores_may_differ_by_the_tolerance(tmp_path, score):
    folder = package(tmp_path / "p")
    expected_of(folder, score=score)
    assert check_package(folder).passed


def test_more_than_expected_is_wrong_too(tmp_path):
    folder = package(tmp_path / "p")
    cv2.imwrite(str(folder / "samples" / "dark.png"), picture(200))
    data = json.loads((folder / "samples" / "expected.json").read_text())
    (folder / "samples" / "expected.json").write_text(
        json.dumps([*data, {"image": "dark.png", "detections": []}])
    )
    assert failed(check_package(folder)) == ("samples-match", "dark.png: bright 0.78 found but not expected")


def test_a_sample_outside_the_package_is_not_opened(tmp_path):
    folder = package(tmp_path / "p")
    (folder / "samples" / "expected.json").write_text('[{"image": "../../x.png", "detections": []}]')
    assert failed(check_package(folder))[0] == "samples"


def test_outputs_that_do_not_fit_the_decoder(tmp_path):
    folder = package(tmp_path / "p")
    data = manifest(brightness_model(folder / "model" / "det.onnx", classes=3))
    write_manifest(folder, data)
    rule, message = failed(check_package(folder))
    assert rule == "decodes"
    assert "3 classes" in message


def test_an_input_of_another_size(tmp_path):
    folder = package(tmp_path / "p")
    data = manifest(folder / "model" / "det.onnx")
    data["models"][0]["input"]["width"] = 128
    write_manifest(folder, data)
    rule, message = failed(check_package(folder))
    assert rule == "decodes"
    assert "[1, 3, 64, 128]" in message


def test_a_builtin_package_needs_no_model(tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    write_manifest(folder, builtin())
    report = check_package(folder)
    assert report.passed, report.as_dict()


def builtin():
    data = manifest_data()
    data["runtime"] = "builtin"
    del data["models"], data["algorithms"][0]["model"]
    data["algorithms"][0]["analyser"] = "left-object"
    data["algorithms"][0]["items"][0].update(labels=["object"], rule={"kind": "left_object", "dwell": 30})
    return data


def manifest_data():
    """Manifest data without a file behind it."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        return manifest(brightness_model(Path(folder) / "det.onnx"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(schema="v2"), "schema"),
        (lambda d: d.update(extra=1), "extra"),
        (lambda d: d.pop("algorithms"), "algorithms"),
        (lambda d: d["models"][0].update(file="../det.onnx"), "models.0.file"),
        (lambda d: d["models"][0].update(file="/det.onnx"), "models.0.file"),
        (lambda d: d["models"][0].update(sha256="abc"), "models.0.sha256"),
        (lambda d: d["models"][0].pop("output"), "output must be given"),
        (lambda d: d["models"][0]["output"].update(decoder="yolo99"), "yolo99"),
        (lambda d: d["models"][0]["output"].update(labels=["a", "a"]), "a label appears twice"),
        (lambda d: d["models"][0]["input"].update(std=[1, 0, 1]), "std"),
        (lambda d: d["algorithms"][0].update(id="Not A Slug"), "algorithms.0.id"),
        (lambda d: d["algorithms"][0].update(version="1.0"), "algorithms.0.version"),
        (lambda d: d["algorithms"][0].update(model="other"), "other"),
        (lambda d: d["algorithms"][0].update(parameters={"type": "nonsense"}), "JSON Schema"),
        (lambda d: d["algorithms"][0]["items"][0].update(labels=["dark"]), "dark"),
        (lambda d: d["algorithms"][0]["items"][0].update(rule={"kind": "magic"}), "magic"),
        (
            lambda d: d["algorithms"][0]["items"][0].update(rule={"kind": "presence", "min_targets": 0}),
            "rule",
        ),
        (lambda d: d["algorithms"][0].update(items=d["algorithms"][0]["items"] * 2), "a code is used twice"),
        (lambda d: d.update(algorithms=d["algorithms"] * 2), "appears twice"),
        (lambda d: d.update(models=d["models"] * 2), "an id is used twice"),
        (lambda d: d.update(runtime="builtin"), "analyser"),
    ],
)
def test_the_manifest_names_the_place(change, words):
    data = manifest_data()
    parse_manifest(data)
    change(data)
    with pytest.raises(ManifestError, match=words.replace(".", r"\.")):
        parse_manifest(data)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [1]\nb: *a\n",
        "a: 1\na: 2\n",
        "!!python/object/apply:os.system [id]",
        "[" * 2000,
        "\x00",
        "just words",
        "",
    ],
)
def test_hostile_yaml_is_refused(tmp_path, text):
    (tmp_path / "algorithm.yaml").write_text(text)
    with pytest.raises(ManifestError):
        load_manifest(tmp_path)


@needs_media
def test_a_public_model_makes_a_sound_package(tmp_path):
    folder = tmp_path / "p"
    (folder / "model").mkdir(parents=True)
    (folder / "samples").mkdir()
    path = folder / "model" / "yolox.onnx"
    path.write_bytes((MEDIA / "models" / "yolox_nano_416.onnx").read_bytes())
    names = (MEDIA / "models" / "coco80.names").read_text().split("\n")[:80]
    data = manifest_data()
    data["models"][0].update(
        file="model/yolox.onnx",
        sha256=sha(path),
        input={"width": 416, "height": 416, "color": "bgr", "letterbox": "topleft"},
        output={"decoder": "yolox", "labels": names},
    )
    data["algorithms"][0]["items"][0]["labels"] = ["person"]
    write_manifest(folder, data)
    cv2.imwrite(str(folder / "samples" / "nobody.png"), np.full((300, 500, 3), 120, np.uint8))
    from tests.vision.test_decoders import look, picture_at

    image = picture_at("one_by_one_persons.mp4", 30.0)
    cv2.imwrite(str(folder / "samples" / "person.png"), image)
    found = [each.as_dict() for each in look("yolox", image, 0.5)]
    expected = [{"image": "person.png", "detections": found}, {"image": "nobody.png", "detections": []}]
    (folder / "samples" / "expected.json").write_text(json.dumps(expected))
    report = check_package(folder)
    assert report.passed, report.as_dict()
    assert yaml.safe_load((folder / "algorithm.yaml").read_text())["schema"] == "vantage.package/v1"
