"""The compact detector: a small residual backbone, a top-down path and one anchor-free head on three strides."""

from __future__ import annotations

import torch
from torch import Tensor, nn

STRIDES = (8, 16, 32)


def conv(inside: int, outside: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, normalisation, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inside, outside, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(outside, momentum=0.03, eps=1e-3),
        nn.ReLU(inplace=True),
    )


class Block(nn.Module):
    """Two convolutions of half the channels between, added to what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(channels, channels // 2, 1), conv(channels // 2, channels))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        return x + self.body(x)


class Detector(nn.Module):
    """RGB 0..1 (N, 3, 192, 320) to raw grids: (N, cells, 5 + classes) of x, y, w, h, object, class scores.

    x, y are offsets from the cell and w, h logarithms of strides, as YOLOX exports them; in ``export`` mode the
    scores are already probabilities.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.export = False
        self.stem = nn.Sequential(conv(3, 16, 3, 2), conv(16, 24, 3, 2), Block(24))
        self.eighth = nn.Sequential(conv(24, 64, 3, 2), Block(64), Block(64))
        self.sixteenth = nn.Sequential(conv(64, 96, 3, 2), Block(96), Block(96))
        self.thirtysecond = nn.Sequential(conv(96, 128, 3, 2), Block(128), Block(128))
        self.lateral = nn.ModuleList([conv(64, 56, 1), conv(96, 56, 1), conv(128, 56, 1)])
        self.smooth = nn.ModuleList([conv(56, 56), conv(56, 56), conv(56, 56)])
        self.boxes = nn.Sequential(conv(56, 48), nn.Conv2d(48, 5, 1))
        self.kinds = nn.Sequential(conv(56, 32), nn.Conv2d(32, classes, 1))
        nn.init.constant_(self.boxes[1].bias, 0.0)
        with torch.no_grad():
            self.boxes[1].bias[0:2] = 0.5
            self.boxes[1].bias[2:4] = 1.0
            self.boxes[1].bias[4] = -4.6
        nn.init.constant_(self.kinds[1].bias, -2.0)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        first = self.eighth(self.stem(x))
        second = self.sixteenth(first)
        third = self.thirtysecond(second)
        top = self.lateral[2](third)
        middle = self.lateral[1](second) + nn.functional.interpolate(top, scale_factor=2.0)
        bottom = self.lateral[0](first) + nn.functional.interpolate(middle, scale_factor=2.0)
        grids = []
        for level, feature in enumerate((bottom, middle, top)):
            feature = self.smooth[level](feature)
            boxes, kinds = self.boxes(feature), self.kinds(feature)
            if self.export:
                boxes = torch.cat([boxes[:, :4], boxes[:, 4:].sigmoid()], 1)
                kinds = kinds.sigmoid()
            grids.append(torch.cat([boxes, kinds], 1).flatten(2))
        return torch.cat(grids, 2).transpose(1, 2)


def cells(width: int, height: int) -> Tensor:
    """(cells, 3): column, row and stride of every cell, in the order of the network's output."""
    rows = []
    for stride in STRIDES:
        y, x = torch.meshgrid(torch.arange(height // stride), torch.arange(width // stride), indexing="ij")
        rows.append(torch.stack([x.flatten(), y.flatten(), torch.full((x.numel(),), stride)], 1))
    return torch.cat(rows).float()


def decode(raw: Tensor, grid: Tensor) -> Tensor:
    """Raw grids to boxes x0, y0, x1, y1 in input pixels, (…, cells, 4)."""
    centre = (raw[..., 0:2] + grid[:, :2]) * grid[:, 2:]
    half = torch.exp(raw[..., 2:4].clamp(-6, 6)) * grid[:, 2:] / 2
    return torch.cat([centre - half, centre + half], -1)
