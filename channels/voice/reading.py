"""Text read aloud: written as it is said, spoken a sentence at a time, and remembered.

What is said often (greetings, announcements, the same reply) is kept as sound, in memory alone
and within a bound of bytes; nothing of a customer outlives the process.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from channels.voice.spoken import as_spoken
from core.providers.speech import Sound
from core.runtime import Runtime

MAXIMUM_KEPT_BYTES = 24 * 1024 * 1024
# What lasts longer than 40 seconds is hardly said twice.
MAXIMUM_SOUND_BYTES = 40 * 32_000


@dataclass(frozen=True)
class KeptSounds:
    """Sounds of sentences by what was said and how; the one used longest ago leaves first."""

    by_key: OrderedDict[bytes, tuple[Sound, ...]] = field(default_factory=OrderedDict)

    def get(self, key: bytes) -> tuple[Sound, ...] | None:
        if key in self.by_key:
            self.by_key.move_to_end(key)
        return self.by_key.get(key)

    def keep(self, key: bytes, sounds: tuple[Sound, ...]) -> None:
        if _size_bytes(sounds) > MAXIMUM_SOUND_BYTES:
            return
        self.by_key[key] = sounds
        while sum(_size_bytes(one) for one in self.by_key.values()) > MAXIMUM_KEPT_BYTES:
            self.by_key.popitem(last=False)


async def read_aloud(
    runtime: Runtime, text: str, *, voice: str, language: str
) -> AsyncIterator[Sound]:
    """Yield the sound of a written text a sentence at a time; a repeated text costs nothing.

    Raises VoiceUnavailable where the engine has no such language, SpeechBusy and
    SpeechUnavailable (503) before or between sentences.
    """
    kept: KeptSounds = runtime.parts.setdefault(KeptSounds, KeptSounds())
    engine = runtime.text_to_speech
    key = hashlib.sha256("\0".join((engine.name, voice, language, text)).encode()).digest()
    known = kept.get(key)
    if known is not None:
        for sound in known:
            yield sound
        return
    made: list[Sound] = []
    async for sound in engine.speak(as_spoken(text, language), voice=voice, language=language):
        made.append(sound)
        yield sound
    kept.keep(key, tuple(made))


def _size_bytes(sounds: tuple[Sound, ...]) -> int:
    return sum(len(sound.samples) for sound in sounds)
