"""A little past, so that no page is empty: frames of the clips, reported as raw events of the last two days,
judged by the real strategy, some reviewed. All of it belongs to the demo city and its cameras say so."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import av
import cv2

from apps.accounts.models import User
from apps.accounts.permissions import SYSTEM, principal_of_user
from apps.analysis.models import Execution
from apps.analysis.services.sync import sync_executions
from apps.core import clock
from apps.core.partitions import ensure_partitions
from apps.devices.models import CameraIdentity
from apps.devices.services import NewCapture, record_captures
from apps.events.models import Event
from apps.events.services.raw_events import NewRawEvent, record_raw_events
from apps.events.services.review import review_event
from apps.strategies.services.pending import run_pending
from demo.catalogue import LIVE_CAMERAS
from demo.clips import clip_paths
from demo.render.stories import BY_NAME
from demo.render.story import Happening

LABELS = {
    "object.left": "bag", "garbage.loose": "garbage", "stall.occupying": "stall", "person.intrusion": "person",
    "water.ponding": "water",
}  # fmt: skip
HOURS_AGO = (45.0, 28.0, 21.5, 6.2, 1.7)
VERDICTS = ("confirmed", "false_alarm", "confirmed", "", "unsure")


def make_history(clips: Path, say: Callable[[str], None]) -> None:
    """Raw events at five past moments for each camera on which something happens."""
    sync_executions()
    now = clock.now()
    ensure_partitions(now - timedelta(days=3))
    count = 0
    for number, entry in enumerate(LIVE_CAMERAS):
        if entry.clip is None:
            continue
        camera = CameraIdentity.objects.get(code=entry.code).camera
        for happening in BY_NAME[entry.clip].happenings:
            execution = Execution.objects.filter(
                camera=camera, version__algorithm__items__code=happening.kind
            ).first()
            if execution is None or happening.kind not in LABELS:
                continue
            moments = [now - timedelta(hours=hours, minutes=7 * number) for hours in HOURS_AGO]
            count += _report(clips, entry.clip, happening, execution, moments)
    while run_pending():
        continue
    _review()
    say(f"history: {count} findings of the last two days")


def _report(
    clips: Path, clip: str, happening: Happening, execution: Execution, moments: list[datetime]
) -> int:
    found = list(_frames(clips, clip, happening, len(moments)))
    hits = []
    with tempfile.TemporaryDirectory() as folder:
        for (image, targets), moment in zip(found, moments, strict=False):
            path = Path(folder) / "frame.jpg"
            cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 88])
            height, width = image.shape[:2]
            capture = NewCapture(execution.camera_id, 0, moment, str(path), width, height)
            record_captures([capture])
            hits.append(
                NewRawEvent(
                    execution_id=execution.pk,
                    item=happening.kind,
                    time=moment,
                    targets=targets,
                    score=max(target["score"] for target in targets),
                    capture_id=capture.id,
                    context={"demo": True},
                )
            )
    return len(record_raw_events(hits))


def _frames(
    clips: Path, name: str, happening: Happening, count: int
) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    """`count` frames while the thing is there, with their true boxes as targets."""
    clip = clip_paths(clips, name)
    truth = json.loads(clip.truth.read_text())["frames"]
    label = LABELS[happening.kind]
    start, length = happening.start, happening.end - happening.start
    wanted = {int((start + length * (0.3 + 0.1 * step)) * 12) for step in range(count)}
    with av.open(str(clip.video)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index not in wanted:
                continue
            targets = [
                {"label": label, "score": 0.9, "box": list(item["box"]), "track": None, "attributes": {}}
                for item in truth[index]
                if item["label"] == label
            ]
            if targets:
                yield frame.to_ndarray(format="bgr24"), targets


def _review() -> None:
    """Some verdicts of the reviewer; the rest waits."""
    reviewer = principal_of_user(User.objects.get(username="reviewer"))
    visible = Event.objects.visible_to(reviewer).filter(review_state="pending").order_by("time")
    for number, event in enumerate(visible):
        verdict = VERDICTS[number % len(VERDICTS)]
        if verdict:
            reason = "shadow" if verdict == "false_alarm" else ""
            review_event(principal=reviewer or SYSTEM, event_id=event.pk, verdict=verdict, reason=reason)
