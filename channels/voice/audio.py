"""Recordings as they come in and go out: any file to sound, and sound to MP3."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from core.errors import InvalidRequest, SpeechUnavailable
from core.providers.speech import Sound
from core.providers.speech.decoding import Decoders
from core.providers.speech.listening import NOT_INSTALLED
from core.providers.speech.mp3 import Mp3Encoder
from core.runtime import Runtime


async def decode_recording(runtime: Runtime, content: bytes, announced_type: str) -> Sound:
    """The sound of an uploaded file: MP3, WAV, WebM, M4A or Ogg.

    Raises UnsupportedMedia (no such recording, or another type than announced), PayloadTooLarge
    (over three minutes) and InvalidRequest (damaged, empty, or not read in time).
    """
    decoders: Decoders = runtime.parts.setdefault(Decoders, Decoders())
    return await decoders.decode(content, announced_type)


async def mp3_of(sounds: AsyncIterator[Sound]) -> AsyncIterator[bytes]:
    """One MP3 file of sounds that follow each other, each encoded as soon as it is there.

    Raises SpeechUnavailable before the first byte where the encoder is not installed, and
    InvalidRequest where there is no sound at all.
    """
    try:
        encoder = Mp3Encoder()
    except ImportError as error:
        raise SpeechUnavailable(NOT_INSTALLED) from error
    is_empty = True
    async for sound in sounds:
        is_empty = False
        piece = await asyncio.to_thread(encoder.encode, sound)
        if piece:
            yield piece
    if is_empty:
        raise InvalidRequest("The text holds nothing that can be said.")
    yield encoder.end()
