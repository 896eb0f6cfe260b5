"""Precision and recall of the demo's detector: ``python -m demo.training.evaluate --clips DIR``.

Two sets, neither seen in training: random streets of other seeds, and the named clips as they come out of their
H.264 files. A detection counts when its box overlaps a truth of its label by IoU ≥ 0.5; truths marked difficult
(tiny, mostly hidden or mostly outside) neither count nor punish. Writes ``demo/training/figures.json``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from demo.clips import ensure_clips
from demo.packaging import PACKAGES
from demo.render.actors import LABELS
from demo.render.scene import Truth
from demo.render.stories import BY_NAME
from demo.training.arrange import arrange, random_scene
from demo.training.detect import PackageModel

FIGURES = Path(__file__).with_name("figures.json")
FIRST_SEED = 900_000
Sample = tuple[NDArray[np.uint8], list[Truth]]


def other_seeds(scenes: int, each: int) -> Iterator[Sample]:
    """Pictures of streets whose seeds the training never used."""
    for seed in range(FIRST_SEED, FIRST_SEED + scenes):
        scene, rng = random_scene(seed), np.random.default_rng(seed + 500_000)
        for _ in range(each):
            scene.actors = arrange(scene, rng)
            yield scene.frame(float(rng.uniform(-0.4, 0.4)), int(rng.integers(1000)))


def clip_samples(video: Path, truth: Path, every: int) -> Iterator[Sample]:
    """Every n-th decoded frame of a clip with its truth."""
    frames = json.loads(truth.read_text("utf-8"))["frames"]
    with av.open(str(video)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index % every == 0:
                known = [Truth(t["label"], tuple(t["box"]), t["difficult"]) for t in frames[index]]
                yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8), known


class Tally:
    """Counts per label: found, missed, false."""

    def __init__(self) -> None:
        self.counts = {label: [0, 0, 0] for label in LABELS}

    def add(self, found: list[tuple[str, tuple[float, ...]]], truths: list[Truth]) -> None:
        """Matches one picture's detections (best first) to its truths."""
        free = list(truths)
        for label, box in found:
            same = [truth for truth in free if truth.label == label and overlap(truth.box, box) >= 0.5]
            if same:
                best = max(same, key=lambda truth: overlap(truth.box, box))
                free.remove(best)
                if not best.difficult:
                    self.counts[label][0] += 1
            elif not any(
                truth.difficult and truth.label == label and overlap(truth.box, box) > 0.1 for truth in truths
            ):
                self.counts[label][2] += 1
        for truth in free:
            if not truth.difficult:
                self.counts[truth.label][1] += 1

    def figures(self) -> dict[str, dict[str, float | int]]:
        """Per label: precision, recall, number of truths; labels without truths and detections are left out."""
        result: dict[str, dict[str, float | int]] = {}
        for label, (hit, missed, false) in self.counts.items():
            if hit + missed + false:
                result[label] = {
                    "precision": round(hit / max(1, hit + false), 3),
                    "recall": round(hit / max(1, hit + missed), 3),
                    "truths": hit + missed,
                }
        return result


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Intersection over union of two boxes x, y, w, h."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (a[2] * a[3] + b[2] * b[3] - width * height)


def score(model: PackageModel, samples: Iterable[Sample], tally: Tally) -> Tally:
    """Adds every sample to the tally."""
    for image, truths in samples:
        tally.add([(found.label, found.box) for found in model.detect(image)], truths)
    return tally


def speed(model: PackageModel) -> float:
    """Median milliseconds of one run on one thread, preparation and decoding included."""
    image = np.random.default_rng(0).integers(0, 255, (360, 640, 3), dtype=np.uint8)
    times = []
    for _ in range(60):
        started = time.perf_counter()
        model.detect(image)
        times.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(times), 1)


def main() -> None:
    """Command line; see the module's text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=Path, required=True, help="cache folder of the rendered clips")
    parser.add_argument("--package", type=Path, default=PACKAGES / "street-objects")
    parser.add_argument("--confidence", type=float, default=0.55)
    parser.add_argument("--scenes", type=int, default=40)
    parser.add_argument("--out", type=Path, default=FIGURES)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    model = PackageModel(options.package, options.confidence)
    whole, per_clip = Tally(), {}
    for name, clip in ensure_clips(options.clips).items():
        every = 4 if BY_NAME[name].offline else 6
        samples = list(clip_samples(clip.video, clip.truth, every))
        per_clip[name] = score(model, samples, Tally()).figures()
        score(model, samples, whole)
    document = {
        "confidence": options.confidence,
        "iou": 0.5,
        "milliseconds": speed(model),
        "other_seeds": score(model, other_seeds(options.scenes, 8), Tally()).figures(),
        "clips": whole.figures(),
        "per_clip": per_clip,
    }
    options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(document, indent=1))  # noqa: T201


if __name__ == "__main__":
    main()
