"""F26: the size or the codec changes in mid-stream: frames go on, regions stay where they are, events note the size."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.clips import make_clip
from tests.support.holding import hurried
from tests.support.http_camera import HttpCamera, Route
from tests.support.policies import LoopbackOnly
from tests.support.waiting import wait_until
from tests.vision.engine_models import moment, spec
from workers.vision.frames import Frame
from workers.vision.geometry import polygons, rasterise
from workers.vision.holder import Demand, StreamHolder, StreamState, StreamWish
from workers.vision.sources import SourceOptions, open_source

SMALL, LARGE = (360, 640), (720, 1280)
LEFT = {
    "type": "Polygon",
    "space": "image-norm",
    "preset": 0,
    "coordinates": [[[0, 0], [0.5, 0], [0.5, 1], [0, 1], [0, 0]]],
}


def half(index: int, size: tuple[int, int]) -> np.ndarray:
    """Left half bright, right half dark, with some texture."""
    image = np.full((*size, 3), 40, np.uint8)
    image[:, : size[1] // 2] = 200
    image[::16, ::16] = 120
    image[0, 0] = index % 255
    return image


def clip(size: tuple[int, int], codec: str = "libx264", frames: int = 20) -> bytes:
    return make_clip(
        frames=frames, gop=10, width=size[1], height=size[0], codec=codec, paint=lambda i: half(i, size)
    )


def joined() -> bytes:
    return clip(SMALL) + clip(LARGE)


def slowly(data: bytes, camera: HttpCamera) -> Route:
    """The bytes as they are, again and again: what an encoder sends that is told another size."""

    def serve(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "video/mp2t")
        handler.send_header("Connection", "close")
        handler.end_headers()
        while camera.running.is_set():
            for start in range(0, len(data), 1316):
                handler.wfile.write(data[start : start + 1316])
                time.sleep(0.002)

    return serve


@pytest.mark.parametrize("how", ["keyframes", "everything"])
def test_f26_both_sizes_come_through_the_decoder(tmp_path: Path, how: str) -> None:
    (tmp_path / "a.ts").write_bytes(joined())
    frames: list[Frame] = []
    with open_source(str(tmp_path / "a.ts"), options=SourceOptions(file_roots=(tmp_path,))) as source:
        for packet in source:
            if how == "everything":
                frame = source.decode(packet)
            else:
                frame = source.decode_keyframe(packet) if packet.is_keyframe else None
            if frame is not None:
                frames.append(frame)
    good = [frame for frame in frames if not frame.corrupt]
    sizes = [(frame.height, frame.width) for frame in good]
    assert set(sizes) == {SMALL, LARGE}
    assert sizes == sorted(sizes), "a size came back"
    assert len(good) >= (36 if how == "everything" else 4)
    for frame in good:  # regions are shares of the frame: the same half, whatever the size
        inside = rasterise(polygons([LEFT]), frame.width, frame.height).astype(bool)
        assert frame.image[inside].mean() > 180 > 60 > frame.image[~inside].mean()


def test_f26_the_holder_hands_both_sizes_on_and_judges_health_anew() -> None:
    seen: list[tuple[int, int]] = []
    with HttpCamera() as camera:
        camera.routes["/live"] = slowly(joined(), camera)
        with StreamHolder(
            LoopbackOnly(camera.port),
            lambda _, frame, __: seen.append((frame.height, frame.width)),
            backoff=hurried,
        ) as holder:
            holder.reconcile({"a": StreamWish(camera.url("/live"), (Demand("keyframes", 0.05),))})
            assert wait_until(lambda: {SMALL, LARGE} <= set(seen))
            status = holder.status()["a"]
    assert (status.state, status.cause) == (StreamState.ONLINE, "receiving")
    assert status.counters.corrupt <= 1


def test_f26_a_camera_that_changes_its_codec_is_opened_again() -> None:
    seen: list[tuple[int, int]] = []
    with HttpCamera() as camera:
        camera.add_live("/live", clip(SMALL), pace=0.02)
        with StreamHolder(
            LoopbackOnly(camera.port),
            lambda _, frame, __: seen.append((frame.height, frame.width)),
            backoff=hurried,
        ) as holder:
            holder.reconcile({"a": StreamWish(camera.url("/live"), (Demand("keyframes", 0.05),), live=True)})
            assert wait_until(lambda: SMALL in seen)
            camera.stop()  # what a camera does when somebody sets it to H.265
            camera.add_live("/live", clip(LARGE, "libx265"), pace=0.02)
            camera.start()
            assert wait_until(lambda: LARGE in seen)
            assert holder.status()["a"].counters.reconnects >= 1


def test_f26_the_engine_finds_the_same_share_of_the_frame_in_both_sizes(tmp_path: Path) -> None:
    from workers.vision.inference import Engine

    engine, execution = Engine(), spec(tmp_path)
    boxes = []
    for number, size in enumerate((SMALL, LARGE)):
        answer = engine.analyse(Frame(half(0, size), moment(number)), [execution])[0]
        assert answer["outcome"] == "hit"
        boxes.append([target["box"] for hit in answer["hits"] for target in hit["targets"]])
    assert boxes[0]
    assert np.allclose(boxes[0], boxes[1], atol=0.02)


@pytest.mark.django_db
def test_f26_events_note_the_size_their_picture_had(settings: Any, tmp_path: Path) -> None:
    from dataclasses import replace

    from apps.events.models import RawEvent
    from tests.support.hits import Hits
    from workers.writer.store import write_batch

    settings.MEDIA_ROOT = tmp_path / "media"
    hits = Hits(tmp_path / "frames")
    for height, width in (SMALL, LARGE):
        write_batch([replace(hits.one(), width=width, height=height)])
    noted = RawEvent.objects.order_by("time").values_list("context", flat=True)
    assert [(context["height"], context["width"]) for context in noted] == [SMALL, LARGE]
