"""Checking a package: a list of rules, each passed or not, with what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from workers.vision.packages.files import NotPlain, files_of, fingerprint
from workers.vision.packages.manifest import Manifest, ManifestError, load_manifest
from workers.vision.packages.onnx_safety import problems_of
from workers.vision.packages.samples import Sample, SamplesError, differences, load_samples
from workers.vision.packages.sandbox import SandboxFailed, SandboxLimits, run_module
from workers.vision.runtimes.checksum import sha256_of

_PROGRAMS = {
    ".py",
    ".pyc",
    ".pyd",
    ".so",
    ".dll",
    ".dylib",
    ".exe",
    ".sh",
    ".bat",
    ".cmd",
    ".ps1",
    ".jar",
    ".js",
}
_PICKLES = {".pt", ".pth", ".pkl", ".pickle", ".joblib", ".npy", ".ckpt"}
CODE_SUFFIXES = frozenset(_PROGRAMS | _PICKLES)
_PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")


@dataclass(frozen=True)
class RuleResult:
    """id: stable. title: what is demanded. message: what was found. mend: what to do. passed None = not judged."""

    id: str
    title: str
    passed: bool | None
    message: str = ""
    mend: str = ""


@dataclass(frozen=True)
class Report:
    """`passed` when every rule was judged and passed."""

    rules: tuple[RuleResult, ...]
    fingerprint: str = ""

    @property
    def passed(self) -> bool:
        return all(rule.passed for rule in self.rules)

    def as_dict(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "fingerprint": self.fingerprint,
            "rules": [asdict(rule) for rule in self.rules],
        }


@dataclass
class _Subject:
    folder: Path
    limits: SandboxLimits
    manifest: Manifest | None = None
    trials: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)


class _Broken(Exception):
    """A rule did not pass; the arguments are problems."""


@dataclass(frozen=True)
class _Rule:
    id: str
    title: str
    mend: str
    judge: Callable[[_Subject], str]


def check_package(folder: Path, limits: SandboxLimits | None = None) -> Report:
    """Check an unpacked package. Rules after the first that fails are reported as not judged."""
    subject = _Subject(folder, limits or SandboxLimits())
    results: list[RuleResult] = []
    stopped = False
    for rule in RULES:
        if stopped:
            results.append(RuleResult(rule.id, rule.title, None, "not judged: an earlier rule did not pass"))
            continue
        try:
            results.append(RuleResult(rule.id, rule.title, True, rule.judge(subject)))
        except _Broken as broken:
            message = "; ".join(str(problem) for problem in broken.args[:20])
            results.append(RuleResult(rule.id, rule.title, False, message, rule.mend))
            stopped = True
    return Report(tuple(results), "" if stopped else fingerprint(folder))


def _plain_files(subject: _Subject) -> str:
    try:
        names = files_of(subject.folder)
    except NotPlain as error:
        raise _Broken(str(error)) from error
    return f"{len(names)} files"


def _no_code(subject: _Subject) -> str:
    problems = []
    for name in files_of(subject.folder):
        if name.suffix.lower() in CODE_SUFFIXES:
            problems.append(f"{name} is code or a format that can carry code")
        elif name.parts[0] == "model" and _starts_like_pickle(subject.folder / name):
            problems.append(f"{name} is a pickle or an archive, not a model")
    if problems:
        raise _Broken(*problems)
    return ""


def _schema(subject: _Subject) -> str:
    try:
        subject.manifest = load_manifest(subject.folder)
    except ManifestError as error:
        raise _Broken(*error.problems) from error
    return ", ".join(f"{each['id']} {each['version']}" for each in subject.manifest.algorithms)


def _model_files(subject: _Subject) -> str:
    problems = []
    for model in _models(subject):
        path = subject.folder / model["file"]
        if not path.is_file():
            problems.append(f"{model['file']} is missing")
        elif sha256_of(path) != model["sha256"]:
            problems.append(f"{model['file']} has the SHA-256 {sha256_of(path)}")
        elif _runtime(subject) == "onnx" and path.suffix != ".onnx":
            problems.append(f"{model['file']} is not an .onnx file")
    if problems:
        raise _Broken(*problems)
    return f"{len(_models(subject))} models"


def _onnx_safe(subject: _Subject) -> str:
    problems = []
    for model in _models(subject) if _runtime(subject) == "onnx" else []:
        problems += problems_of(subject.folder / model["file"], subject.folder)
    if problems:
        raise _Broken(*problems)
    return ""


def _samples_readable(subject: _Subject) -> str:
    if not _needs_samples(subject):
        return "not needed for this runtime"
    try:
        subject.samples = load_samples(subject.folder)
    except SamplesError as error:
        raise _Broken(str(error)) from error
    if not any(sample.expected for sample in subject.samples):
        raise _Broken("no sample expects a detection")
    return f"{len(subject.samples)} samples"


def _model_opens(subject: _Subject) -> str:
    problems = []
    for model in _models(subject) if _runtime(subject) == "onnx" else []:
        question = {
            "model_path": str(subject.folder / model["file"]),
            "input": model["input"],
            "output": model["output"],
            "samples": [
                {"image": str(sample.image), "confidence": _threshold(sample)} for sample in subject.samples
            ],
        }
        try:
            answer = run_module("workers.vision.packages.trial", [], question, subject.limits)
        except SandboxFailed as error:
            problems.append(f"{model['file']}: {error}")
            continue
        subject.trials[model["id"]] = answer
        if not answer["opens"]:
            problems.append(f"{model['file']}: {answer['message']}")
    if problems:
        raise _Broken(*problems)
    return f"{len(subject.trials)} models opened in a process of their own"


def _outputs_fit(subject: _Subject) -> str:
    problems = [
        f"{identity}: {trial['message']}" for identity, trial in subject.trials.items() if not trial["fits"]
    ]
    if problems:
        raise _Broken(*problems)
    return ""


def _samples_match(subject: _Subject) -> str:
    """A sample belongs to the models whose labels it names; one without detections belongs to all."""
    problems: list[str] = []
    for model in _models(subject):
        trial = subject.trials.get(model["id"])
        labels = set(model.get("output", {}).get("labels", ()))
        for sample, result in zip(subject.samples, (trial or {}).get("samples", ()), strict=False):
            if any(each["label"] not in labels for each in sample.expected):
                continue
            if "error" in result:
                problems.append(f"{sample.image.name}: {result['error']}")
            else:
                problems += differences(sample, result["detections"], _threshold(sample))
    if problems:
        raise _Broken(*problems)
    return f"{len(subject.samples)} samples agree" if subject.samples else ""


def _models(subject: _Subject) -> Sequence[Mapping[str, Any]]:
    return subject.manifest.models if subject.manifest else []


def _runtime(subject: _Subject) -> str:
    return subject.manifest.runtime if subject.manifest else ""


def _needs_samples(subject: _Subject) -> bool:
    return _runtime(subject) == "onnx"


def _threshold(sample: Sample) -> float:
    """Detections are compared down to the weakest expected one; a sample without any, from 0.5 up."""
    weakest = min((float(each["score"]) for each in sample.expected), default=0.5)
    return max(weakest - 0.05, 0.01)


def _starts_like_pickle(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4).startswith(_PICKLE_STARTS)


RULES: tuple[_Rule, ...] = (
    _Rule("files", "Only plain files", "Pack the files themselves, no links.", _plain_files),
    _Rule(
        "no-code",
        "No code and no pickles",
        "Remove scripts and libraries; export the model to ONNX instead of a pickle.",
        _no_code,
    ),
    _Rule("schema", "algorithm.yaml follows vantage.package/v1", "Correct the named places.", _schema),
    _Rule(
        "model-files",
        "Model files are there and match their SHA-256",
        "Pack the file again, or write its SHA-256 into algorithm.yaml.",
        _model_files,
    ),
    _Rule(
        "onnx-safe",
        "ONNX: no foreign files, no unknown operators",
        "Export the model again with its weights inside and standard operators only.",
        _onnx_safe,
    ),
    _Rule(
        "samples",
        "samples/expected.json is complete",
        "Add pictures and what the model finds in them.",
        _samples_readable,
    ),
    _Rule(
        "opens",
        "The model opens within memory and time",
        "Try the file in ONNX Runtime; make the model smaller.",
        _model_opens,
    ),
    _Rule(
        "decodes",
        "Input and outputs fit the manifest",
        "Correct input size, decoder or labels in algorithm.yaml.",
        _outputs_fit,
    ),
    _Rule(
        "samples-match",
        "Every sample gives what is expected (IoU ≥ 0.9, score ± 0.02)",
        "Check colour order, scale, mean and letterbox of the input, or renew expected.json.",
        _samples_match,
    ),
)
