"""Which voice does each name mean, in engines that know other voices than ours?"""

from __future__ import annotations

from dataclasses import dataclass

VOICES = ("alloy", "echo", "fable", "onyx", "nova", "shimmer")
DEFAULT_VOICE = "alloy"


@dataclass(frozen=True)
class Manner:
    """How an engine with a single voice tells the names apart: factors of pitch and of speed."""

    pitch: float
    speed: float


# Pico has one voice a language: deep and calm for onyx, high and quick for shimmer.
MANNERS: dict[str, Manner] = {
    "alloy": Manner(1.0, 1.0),
    "echo": Manner(0.88, 1.0),
    "fable": Manner(1.12, 0.94),
    "onyx": Manner(0.76, 0.94),
    "nova": Manner(1.06, 1.08),
    "shimmer": Manner(1.24, 1.04),
}
