"""Any recogniser, asked about speech alone: silence costs nothing, and long sounds come in pieces.

Recognisers invent words in silence and music, and skip some where much is said without a pause.
"""

from __future__ import annotations

import asyncio

from core.errors import SpeechUnavailable
from core.providers.speech import Sound, SpeechToText, Transcript
from core.providers.speech.silence import spoken_pieces

LONGEST_PIECE_SECONDS = 12.0
SHORTEST_SECONDS = 0.1
NOT_INSTALLED = "Voice needs more packages on this server: run `scripts/install speech`."


class Listening:
    """Passes the spoken parts of a sound to a recogniser, one after the other.

    Each part waits its turn among those of other sounds, so that no recording holds up a call.
    """

    def __init__(self, recogniser: SpeechToText) -> None:
        self.recogniser = recogniser

    @property
    def name(self) -> str:
        return self.recogniser.name

    async def transcribe(self, sound: Sound, *, language: str | None = None) -> Transcript:
        if sound.duration_seconds < SHORTEST_SECONDS:
            return _joined([], language)
        if sound.duration_seconds <= LONGEST_PIECE_SECONDS:
            # A caller waits: whether there is speech at all is found out meanwhile.
            pieces, heard = await asyncio.gather(
                _spoken_pieces(sound), self.recogniser.transcribe(sound, language=language)
            )
            return _joined([heard] if pieces else [], language)
        parts: list[Transcript] = []
        for piece in await _spoken_pieces(sound):
            known = language or (parts[0].language if parts else None)
            parts.append(await self.recogniser.transcribe(piece, language=known))
        return _joined(parts, language)

    async def guess(self, sound: Sound, *, language: str | None = None) -> Transcript | None:
        """Whoever asks has heard that there is speech: it is not looked for again."""
        return await self.recogniser.guess(sound, language=language)

    async def warm(self) -> None:
        await self.recogniser.warm()

    async def close(self) -> None:
        await self.recogniser.close()


async def _spoken_pieces(sound: Sound) -> list[Sound]:
    try:
        return await asyncio.to_thread(spoken_pieces, sound, LONGEST_PIECE_SECONDS)
    except ImportError as error:
        raise SpeechUnavailable(NOT_INSTALLED) from error


def _joined(heard: list[Transcript], language: str | None) -> Transcript:
    if not heard:
        return Transcript("", language or "fr", 0.0)
    text = " ".join(one.text for one in heard if one.text)
    return Transcript(text, heard[0].language, min(one.confidence for one in heard))
