"""Which cell of the grid is responsible for which object, and the loss over them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from demo.training.network import STRIDES, decode

_RANGE = {8: (0.0, 52.0), 16: (36.0, 112.0), 32: (84.0, 1e9)}


def assign(rows: Tensor, grid: Tensor, width: int, height: int) -> tuple[Tensor, Tensor]:
    """For each picture and cell the index of its object or -1, and where the background must not be punished.

    ``rows``: (N, M, 6) class, x, y, w, h in input pixels (top left), difficult. Returns (N, cells) long and bool.
    """
    kind, box, hard = rows[..., 0], rows[..., 1:5], rows[..., 5] > 0.5
    centre = (grid[:, :2] + 0.5) * grid[:, 2:]
    middle = box[..., :2] + box[..., 2:] / 2
    away = (centre[None, None] - middle[:, :, None]).abs()
    reach = torch.maximum(torch.tensor(0.75), torch.minimum(box[..., 2:] * 0.35 / 8, torch.tensor(1.6)))
    inside = (away <= reach[:, :, None] * 8 * (grid[:, 2:] / 8).clamp(max=2.0)).all(-1)
    side = box[..., 2:].max(-1).values[:, :, None]
    level = torch.zeros_like(inside)
    for stride in STRIDES:
        low, high = _RANGE[stride]
        level |= (grid[:, 2] == stride) & (side >= low) & (side < high)
    present = (kind >= 0)[:, :, None]
    area = (box[..., 2] * box[..., 3])[:, :, None].expand_as(inside)
    good = inside & level & present & ~hard[:, :, None]
    area = torch.where(good, area, torch.tensor(1e12))
    smallest, owner = area.min(1)
    owner = torch.where(smallest < 1e11, owner, torch.tensor(-1))
    within = (away <= box[:, :, None, 2:] / 2 + 4).all(-1)
    ignore = (within & present & hard[:, :, None]).any(1) & (owner < 0)
    return owner, ignore


def loss(raw: Tensor, rows: Tensor, grid: Tensor, width: int, height: int) -> tuple[Tensor, dict[str, float]]:
    """Objectness, class and box loss of a batch; ``raw`` (N, cells, 5 + C)."""
    owner, ignore = assign(rows, grid, width, height)
    positive = owner >= 0
    count = positive.sum().clamp(min=1)
    picture = torch.arange(len(rows))[:, None].expand_as(owner)[positive]
    target = rows[picture, owner[positive]]
    corners = torch.cat([target[:, 1:3], target[:, 1:3] + target[:, 3:5]], 1)
    boxes = decode(raw[..., :4], grid)[positive]
    overlap, generous = _giou(boxes, corners)
    box_loss = (1 - generous).sum() / count
    wanted = torch.zeros_like(raw[..., 4])
    wanted[positive] = 0.3 + 0.7 * overlap.detach().clamp(0, 1)
    logits = raw[..., 4]
    probability = logits.sigmoid().detach()
    weight = torch.where(positive, torch.tensor(1.0), probability.pow(1.2)) * (~ignore)
    object_loss = (binary_cross_entropy_with_logits(logits, wanted, reduction="none") * weight).sum() / count
    one_hot = torch.zeros_like(raw[..., 5:][positive])
    one_hot[torch.arange(len(target)), target[:, 0].long()] = 1.0
    class_loss = binary_cross_entropy_with_logits(raw[..., 5:][positive], one_hot, reduction="sum") / count
    total = 2.5 * box_loss + object_loss + class_loss
    return total, {"box": box_loss.item(), "object": object_loss.item(), "class": class_loss.item()}


def _giou(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    inter = (high - low).clamp(min=0).prod(1)
    union = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - inter + 1e-6
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(1) + 1e-6
    overlap = inter / union
    return overlap, overlap - (hull - union) / hull
