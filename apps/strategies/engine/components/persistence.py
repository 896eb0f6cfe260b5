"""persistence@1: something must have been seen often enough, or long enough, before it becomes an event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from apps.strategies.engine.base import Carried, Component, Parameters, Passed, Stopped, Words
from apps.strategies.engine.components.place import is_same_place, place_parameters
from apps.strategies.engine.values import Context, RawInput

USUAL_INTERVAL_S = 1.0
"""Time between two looks where the raw event does not say."""


def pictures_seen(raw: RawInput, parameters: Parameters, context: Context, since: datetime) -> list[datetime]:
    """Moments from `since` on at which it was reported at the same place, the latest, which is `raw`'s own, first."""
    least = float(parameters["min"])
    moments = {raw.time}
    for sighting in context.sightings(raw, since):
        kept = [target.box for target in sighting.targets if target.score >= least]
        if (kept or not sighting.targets) and is_same_place(raw, kept, parameters):
            moments.add(sighting.time)
    return sorted(moments, reverse=True)


def unbroken_since(moments: Sequence[datetime], pause: timedelta) -> datetime:
    """The first of the moments that lead to the latest one without a longer pause; `moments` is latest first."""
    first = moments[0]
    for moment in moments:
        if first - moment > pause:
            break
        first = moment
    return first


def judge(carried: Carried, parameters: Parameters, context: Context) -> Passed | Stopped:
    """Passes what was seen in `frames` of the last `of` pictures and, without a pause of `of` pictures, for `seconds`.

    Both by the clock of the frames, so that a recording gives what the live view gave. A repeat that joins a main
    event passes: that event was long enough in the picture.
    """
    if carried.merge_into is not None:
        return Passed(carried, {"repeat": True})
    raw = carried.raw
    interval = raw.interval_s or USUAL_INTERVAL_S
    frames, of, seconds = int(parameters["frames"]), int(parameters["of"]), float(parameters["seconds"])
    recent = timedelta(seconds=(of - 0.5) * interval)
    since = raw.time - timedelta(seconds=seconds + of * interval)
    moments = pictures_seen(raw, parameters, context, since)
    seen = sum(raw.time - moment <= recent for moment in moments)
    lasted = (raw.time - unbroken_since(moments, recent)).total_seconds()
    detail = {"seen": seen, "frames": frames, "of": of, "lasted_s": round(lasted, 3), "seconds": seconds}
    if seen < frames:
        return Stopped("not_often_enough", detail)
    if lasted < seconds:
        return Stopped("not_long_enough", detail)
    return Passed(carried, detail)


COMPONENT = Component(
    name="persistence@1",
    title=Words("持续判定", "Persistence"),
    judge=judge,
    parameters={
        "frames": {
            "type": "integer",
            "minimum": 1,
            "maximum": 100,
            "default": 3,
            "title": "Seen in at least this many pictures",
            "x-title": {"zh": "至少出现的画面数", "en": "Seen in at least this many pictures"},
        },
        "of": {
            "type": "integer",
            "minimum": 1,
            "maximum": 100,
            "default": 5,
            "title": "Of the last pictures",
            "x-title": {"zh": "最近若干张画面中", "en": "Of the last pictures"},
        },
        "seconds": {
            "type": "number",
            "minimum": 0,
            "maximum": 3600,
            "default": 0,
            "title": "And for at least",
            "x-title": {"zh": "且至少持续", "en": "And for at least"},
            "x-unit": {"zh": "秒", "en": "s"},
        },
        "min": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "default": 0,
            "title": "Pictures count from this confidence on",
            "x-title": {"zh": "计入画面的最低置信度", "en": "Pictures count from this confidence on"},
        },
        **place_parameters("picture"),
    },
    reasons={
        "not_often_enough": Words("出现次数不足", "Not seen often enough"),
        "not_long_enough": Words("持续时间不足", "Not seen long enough"),
    },
    is_stateful=True,
)
