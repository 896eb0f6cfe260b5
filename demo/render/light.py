"""Times of day: what the sky looks like, how bright things are, where shadows fall."""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Light:
    """Colours are BGR 0..255; ``sun`` is the ground offset (u, v) of a shadow per metre of height."""

    sky_top: Colour
    sky_low: Colour
    tint: Colour
    sun: tuple[float, float]
    shadow: float
    noise: float
    night: bool = False
    clouds: float = 0.5


LIGHTS: dict[str, Light] = {
    "noon": Light((214, 158, 102), (236, 214, 190), (1.0, 1.0, 1.0), (0.35, 0.30), 0.42, 1.6),
    "morning": Light((222, 180, 140), (212, 224, 238), (0.86, 0.95, 1.04), (-1.2, 0.35), 0.36, 1.8),
    "overcast": Light(
        (206, 198, 190), (224, 220, 216), (0.92, 0.91, 0.89), (0.1, 0.1), 0.20, 2.0, clouds=1.0
    ),
    "dusk": Light((150, 110, 92), (120, 160, 228), (0.66, 0.70, 0.84), (1.6, 0.3), 0.24, 2.6),
    "night": Light(
        (46, 32, 26), (66, 54, 50), (0.50, 0.45, 0.43), (0.2, 0.2), 0.22, 3.2, night=True, clouds=0.2
    ),
}


def shade(colour: Colour, factor: float) -> Colour:
    """The colour made darker (factor < 1) or lighter (> 1), kept inside 0..255."""
    return (
        min(255.0, colour[0] * factor),
        min(255.0, colour[1] * factor),
        min(255.0, colour[2] * factor),
    )
