"""Which colour and shape a state has. One meaning per colour on every page, never colour alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tone:
    """A colour name of the style sheet and the icon that repeats it as a shape."""

    name: str
    icon: str


GREEN = Tone("green", icon="circle-check")
GREY = Tone("grey", icon="circle-minus")
RED = Tone("red", icon="alert-octagon")
AMBER = Tone("amber", icon="clock")
BLUE = Tone("blue", icon="info-circle")

_STATES: dict[Tone, str] = {
    GREEN: """online up ok healthy confirmed delivered captured ready running active finished valid passed pass
        licensed on published accepted raised raise success assigned done approved""",
    GREY: """offline unknown skipped skip clear not_required stopped stop draft inactive disabled merged mergeinto
        withdrawn rightly_stopped suppressed planned off unmapped ended cancelled""",
    RED: """event hit urgent failed fail expired dead rejected missed down lost error refused revoked not_captured
        invalid unavailable""",
    AMBER: """pending degraded retrying arranging in_approval waiting leased checking uploaded queued preempted
        paused unsure not_analysed false_alarm warning late stale due""",
    BLUE: "selected info general update updated attached main new submitted",
}
_TONES = {code: known for known, codes in _STATES.items() for code in codes.split()}


def tone_of(code: str) -> Tone:
    """Tone of a state code; an unknown code is grey, so that a new state never looks like an alarm."""
    return _TONES.get(code.lower().replace("-", "_"), GREY)
