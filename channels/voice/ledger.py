"""How fast is each turn of a call? Times from the end of the caller's speech, kept and counted."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from core.runtime import Runtime
from core.telemetry import VOICE_SECONDS
from services.conversations.calls import TurnTimes, add_turn


@dataclass
class Stopwatch:
    """The times of one turn; `ended_at` is the end of the caller's speech, monotonic seconds."""

    position: int
    speech_ms: int
    ended_at: float
    transcript_ms: int = 0
    first_token_ms: int | None = None
    first_audio_ms: int | None = None
    barge_in_ms: int | None = None
    interrupted: bool = False
    message_id: UUID | None = None
    # Where the caller's speech begins in the recording.
    recording_ms: int | None = None

    def _elapsed(self) -> int:
        return max(0, round((time.monotonic() - self.ended_at) * 1_000))

    def transcribed(self) -> None:
        self.transcript_ms = self._elapsed()

    def told(self) -> None:
        """The first sentence of the reply is there."""
        if self.first_token_ms is None:
            self.first_token_ms = self._elapsed()

    def sounded(self) -> None:
        """The first sound of the reply has left."""
        if self.first_audio_ms is None:
            self.first_audio_ms = self._elapsed()

    def times(self) -> TurnTimes:
        return TurnTimes(
            self.position,
            self.speech_ms,
            self.transcript_ms,
            self.first_token_ms,
            self.first_audio_ms,
            self.barge_in_ms,
            self.interrupted,
            self.message_id,
            self.recording_ms,
        )


async def enter(
    runtime: Runtime, organization_id: UUID, call_id: UUID, stopwatch: Stopwatch
) -> TurnTimes:
    """Keep the times of a turn that is over, and count them."""
    times = stopwatch.times()
    for step, value in (
        ("transcript", times.transcript_ms),
        ("first_token", times.first_token_ms),
        ("first_audio", times.first_audio_ms),
        ("barge_in", times.barge_in_ms),
    ):
        if value is not None:
            VOICE_SECONDS.labels(step).observe(value / 1_000)
    async with runtime.database.transaction(organization_id) as transaction:
        await add_turn(transaction, call_id, times, runtime.clock())
    return times


@dataclass(frozen=True)
class Percentiles:
    """Of a step's times, in milliseconds; None where there are none."""

    count: int
    p50_ms: int | None
    p95_ms: int | None


def percentiles(values: Sequence[int]) -> Percentiles:
    """The nearest-rank percentiles of times in any order."""
    ordered = sorted(values)
    return Percentiles(len(ordered), _rank(ordered, 50), _rank(ordered, 95))


def _rank(ordered: Sequence[int], percent: int) -> int | None:
    if not ordered:
        return None
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def summarise(times: Mapping[str, Sequence[int]]) -> dict[str, Percentiles]:
    """The percentiles of every step."""
    return {step: percentiles(values) for step, values in times.items()}
