"""Renders labelled pictures at the model's size: ``python -m demo.training.dataset --out DIR``."""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.render.actors import LABELS
from demo.render.overlay import burn_clock, clock_start
from demo.render.scene import Truth
from demo.training.arrange import arrange, random_scene

WIDTH, HEIGHT = 320, 180
MOST = 24

Picture = NDArray[np.uint8]
Boxes = NDArray[np.float32]


def to_rows(truth: list[Truth]) -> Boxes:
    """(MOST, 6) rows of class, x, y, w, h (0..1), difficult; class -1 where a row is empty."""
    rows = np.full((MOST, 6), -1, np.float32)
    for number, item in enumerate(truth[:MOST]):
        rows[number] = (LABELS.index(item.label), *item.box, float(item.difficult))
    return rows


def scene_samples(seed: int, count: int) -> tuple[Picture, Boxes]:
    """``count`` arrangements on one street: pictures (N, 180, 320, 3) BGR and their rows (N, MOST, 6)."""
    cv2.setNumThreads(1)
    scene = random_scene(seed)
    rng = np.random.default_rng(seed + 500_000)
    pictures, rows = np.zeros((count, HEIGHT, WIDTH, 3), np.uint8), np.zeros((count, MOST, 6), np.float32)
    for number in range(count):
        scene.actors = arrange(scene, rng)
        image, truth = scene.frame(float(rng.uniform(-0.4, 0.4)), int(rng.integers(1000)))
        if rng.random() < 0.6:
            burn_clock(
                image, f"CAM {int(rng.integers(9999))} STREET", clock_start(int(rng.integers(24)), 5), 0
            )
        quality = int(rng.integers(45, 95))
        image = cv2.imdecode(
            cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR
        )
        pictures[number] = cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
        rows[number] = to_rows(truth)
    return pictures, rows


def render_set(first_seed: int, scenes: int, each: int, workers: int) -> tuple[Picture, Boxes]:
    """Many scenes, in the order of their seeds."""
    seeds = list(range(first_seed, first_seed + scenes))
    with ProcessPoolExecutor(workers) as pool:
        parts = list(pool.map(scene_samples, seeds, [each] * scenes, chunksize=4))
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def main() -> None:
    """Writes train.npz and test.npz (other seeds)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=380)
    parser.add_argument("--each", type=int, default=14)
    parser.add_argument("--test-scenes", type=int, default=40)
    parser.add_argument("--first", type=int, default=10_000, help="first seed of the training scenes")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    pictures, rows = render_set(900_000, options.test_scenes, 8, options.workers)
    np.savez(options.out / "test.npz", pictures=pictures, rows=rows)
    pictures, rows = render_set(options.first, options.scenes, options.each, options.workers)
    np.savez(options.out / "train.npz", pictures=pictures, rows=rows)


if __name__ == "__main__":
    main()
