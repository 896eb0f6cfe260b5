"""What the benches look at: frames of real clips where the shared folder is present, rough streets everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import av
import cv2
import numpy as np

from tests.support.clips import SHARED
from workers.vision.frames import Frame, Image
from workers.vision.keyframes import write_jpeg
from workers.vision.looks import SUFFIX, write_look

REAL = ("one_by_one_persons.mp4", "opendatacam_street.mp4", "car_park.mp4")
QUALITY = 90
"""As the frame store writes."""


def real_frames(name: str, every: float = 1.0, most: int = 10**6) -> Iterator[tuple[float, Image]]:
    """(seconds, picture) of a shared clip, one each `every` seconds; nothing where the folder is not present."""
    path = SHARED / "videos" / name
    if path.is_file():
        yield from frames_of(path, every, most)


def frames_of(path: Path, every: float = 1.0, most: int = 10**6) -> Iterator[tuple[float, Image]]:
    """(seconds, picture) of any clip."""
    following, given = 0.0, 0
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if given >= most:
                return
            seconds = float(frame.time or 0.0)
            if seconds >= following:
                following = seconds + every - 1e-3
                given += 1
                yield seconds, frame.to_ndarray(format="bgr24")


def rough_street(number: int) -> Image:
    """A picture of 1920×1080 with the detail of a street: shapes over soft noise, a JPEG of 350 to 400 kB."""
    chance = np.random.default_rng(7 + number)
    rough = chance.integers(0, 255, (68, 120, 3), np.uint8)
    image = cv2.resize(rough, (1920, 1080), interpolation=cv2.INTER_CUBIC)
    for _ in range(60):
        x, y = (int(value) for value in chance.integers(0, 1000, 2))
        colour = tuple(int(value) for value in chance.integers(0, 255, 3))
        cv2.rectangle(image, (x, y), (x + 90, y + 60), colour, -1)
    return np.asarray(image, np.uint8)


def enlarged(image: Image, number: int) -> Image:
    """A real picture at 1920×1080 with the noise of a sensor, as the shared clips are smaller than cameras are."""
    noise = np.random.default_rng(number).normal(0, 3, (1080, 1920, 3)).astype(np.float32)
    large = cv2.resize(image, (1920, 1080), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return np.clip(large + noise, 0, 255).astype(np.uint8)


def stored(folder: Path, count: int = 8) -> list[Path]:
    """Frames of 1080p as the node's frame store holds them: JPEG and look. Half of them real, if there are any."""
    found = [enlarged(image, 1) for name in REAL for _, image in real_frames(name, 4.0, 3)][: count // 2]
    images = found + [rough_street(number) for number in range(count - len(found))]
    paths = []
    for number, image in enumerate(images):
        path = write_jpeg(Frame(image, datetime.now(UTC)), folder / f"{number}.jpg", QUALITY)
        write_look(image, path.with_suffix(SUFFIX))
        paths.append(path)
    return paths
