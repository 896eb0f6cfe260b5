"""Trains the demo's detector on rendered scenes and exports it to ONNX.

    python -m demo.training.dataset --out data
    python -m demo.training.train --data data --out demo/packages/street-objects/model/street.onnx --minutes 20

Needs torch and onnx in an environment of their own; the demo itself runs the exported file with ONNX Runtime.
"""

from __future__ import annotations

import argparse
import copy
import logging
import math
import time
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor

from demo.render.actors import LABELS
from demo.training.network import Detector, cells
from demo.training.targets import loss

WIDTH, HEIGHT = 320, 192
log = logging.getLogger("demo.training")


def batch_of(pictures: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Augments a batch: mirror, letterbox offset, colour, blur of light; pictures (N, 180, 320, 3) BGR uint8."""
    count = len(pictures)
    canvas = np.full((count, HEIGHT, WIDTH, 3), 114, np.uint8)
    boxes = rows.copy()
    present = boxes[..., 0] >= 0
    boxes[..., 1:5] *= np.array([320, 180, 320, 180], np.float32)
    for number in range(count):
        picture = pictures[number]
        if rng.random() < 0.5:
            picture = picture[:, ::-1]
            boxes[number, :, 1] = WIDTH - boxes[number, :, 1] - boxes[number, :, 3]
        offset = int(rng.choice([6, 6, 6, int(rng.integers(13))]))
        canvas[number, offset : offset + 180] = picture
        boxes[number, :, 2] += offset
    boxes[..., 1:5] = np.where(present[..., None], boxes[..., 1:5], -1000)
    tensor = torch.from_numpy(np.ascontiguousarray(canvas[..., ::-1].transpose(0, 3, 1, 2))).float() / 255
    gain = torch.from_numpy(rng.uniform(0.75, 1.25, (count, 1, 1, 1)).astype(np.float32))
    cast = torch.from_numpy(rng.uniform(0.93, 1.07, (count, 3, 1, 1)).astype(np.float32))
    lift = torch.from_numpy(rng.uniform(-0.06, 0.06, (count, 1, 1, 1)).astype(np.float32))
    return (tensor * gain * cast + lift).clamp(0, 1), torch.from_numpy(boxes)


def train(
    data: list[Path], minutes: float, batch: int, rate: float, seed: int, start: Path | None = None
) -> Detector:
    """Trains until the time is up with a falling rate, from ``start`` or from nothing; returns the average."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    sets = [np.load(folder / "train.npz") for folder in data]
    pictures = np.concatenate([stored["pictures"] for stored in sets])
    rows = np.concatenate([stored["rows"] for stored in sets])
    network = Detector(len(LABELS)).to(memory_format=torch.channels_last)
    if start is not None:
        network.load_state_dict(torch.load(start, weights_only=True))
    average = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-3)
    grid = cells(WIDTH, HEIGHT)
    started, step, shown = time.monotonic(), 0, 0.0
    while (spent := (time.monotonic() - started) / (minutes * 60)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = (
                rate * min(1.0, (step + 1) / 100) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * spent)))
            )
        picked = rng.integers(0, len(pictures), batch)
        inputs, targets = batch_of(pictures[picked], rows[picked], rng)
        with torch.autocast("cpu", torch.bfloat16):
            raw = network(inputs.to(memory_format=torch.channels_last))
        total, parts = loss(raw.float(), targets, grid, WIDTH, HEIGHT)
        optimiser.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        optimiser.step()
        step += 1
        _follow(average, network, min(0.998, (1 + step) / (10 + step)))
        if time.monotonic() - shown > 20:
            shown = time.monotonic()
            log.info("step %d %.0f%% loss %.3f %s", step, spent * 100, total.item(), parts)
    average.eval()
    return average


def _follow(average: Detector, network: Detector, keep: float) -> None:
    with torch.no_grad():
        own = network.state_dict()
        for name, value in average.state_dict().items():
            if value.dtype.is_floating_point:
                value.mul_(keep).add_(own[name], alpha=1 - keep)


def export(network: Detector, path: Path) -> None:
    """Writes the network as ONNX opset 17 with normalisation folded in; input ``images``, output ``output``."""
    network.export = True
    path.parent.mkdir(parents=True, exist_ok=True)
    example = torch.zeros(1, 3, HEIGHT, WIDTH)
    torch.onnx.export(
        network.to(memory_format=torch.contiguous_format), (example,), str(path), dynamo=False, opset_version=17,
        input_names=["images"], output_names=["output"],
        dynamic_axes={"images": {0: "batch"}, "output": {0: "batch"}},
    )  # fmt: skip
    onnx.checker.check_model(onnx.load(str(path)))


def main() -> None:
    """Command line; see the module's text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="folders of demo.training.dataset"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=Path, help="weights of an earlier round to go on from")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(options.threads)
    network = train(options.data, options.minutes, options.batch, options.rate, options.seed, options.start)
    torch.save(network.state_dict(), options.data[0] / "street.pt")
    export(network, options.out)
    log.info("wrote %s, %d bytes", options.out, options.out.stat().st_size)


if __name__ == "__main__":
    main()
