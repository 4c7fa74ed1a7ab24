"""Any recording of a stranger as `Sound`, decoded in a process of its own.

Decoders have a long history of faults: each file gets a fresh child process, with limits on
memory and time, an empty environment and no secret. The server itself never imports a decoder.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.errors import InvalidRequest, PayloadTooLarge, SupportError, UnsupportedMedia
from core.providers.isolation import start_isolated
from core.providers.speech import Sound
from core.telemetry import logger

DECODERS_AT_ONCE = 2
TIMEOUT_SECONDS = 8.0
_ERRORS: Mapping[str, type[SupportError]] = {
    "unsupported": UnsupportedMedia,
    "too_large": PayloadTooLarge,
    "unreadable": InvalidRequest,
}


@dataclass(frozen=True)
class Decoders:
    """How many recordings one process lets be decoded at once; the others wait."""

    free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(DECODERS_AT_ONCE))

    async def decode(self, content: bytes, announced_type: str) -> Sound:
        """The sound of a recording: MP3, WAV, WebM, M4A or Ogg, however it is announced.

        Raises UnsupportedMedia (no such recording, or another type than announced),
        PayloadTooLarge (too long) and InvalidRequest (damaged, empty, or not read in time).
        """
        if not content:
            raise InvalidRequest("The recording is empty.")
        async with self.free:
            output = await _ask_decoder(content, announced_type)
        head, _, samples = output.partition(b"\n")
        report = json.loads(head)
        if "refused" in report:
            raise _ERRORS[report["refused"]](report["message"])
        return Sound(samples)


async def _ask_decoder(content: bytes, announced_type: str) -> bytes:
    decoder = await start_isolated(
        "core.providers.speech.decoder",
        announced_type.replace("\0", ""),
        environment={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            output, _ = await decoder.communicate(content)
    except TimeoutError as error:
        raise InvalidRequest("The recording could not be read in time; send another.") from error
    finally:
        if decoder.returncode is None:
            decoder.kill()
            await decoder.wait()
    if decoder.returncode != 0:
        logger("core.speech").warning("recording_decoder_failed", status=decoder.returncode)
        raise InvalidRequest("The recording is damaged and cannot be read; record it again.")
    return output
