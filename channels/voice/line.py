"""What a call needs of whatever carries it: a browser's socket, or a carrier's media stream."""

from __future__ import annotations

from typing import Any, Protocol


class Line(Protocol):
    """One open line. A line that is gone raises nothing: the call learns it by `hang_up`."""

    @property
    def frame_milliseconds(self) -> int:
        """How much sound goes into one frame."""
        ...

    @property
    def longest_gap_seconds(self) -> float:
        """How late sound may come before it counts as silence."""
        ...

    async def send_sound(self, sequence: int, samples: bytes) -> None:
        """Send 16 kHz samples to be played behind those before."""
        ...

    async def clear(self) -> None:
        """Let the other side forget what it has not played yet."""
        ...

    async def tell(self, type: str, **body: Any) -> None:
        """Tell the other side what happens; lines that carry sound alone leave it out."""
        ...

    async def end(self, reason: str) -> None:
        """Close the line once everything was said."""
        ...
