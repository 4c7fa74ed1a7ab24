"""Is a file what it says, and what of it may be kept? Asked in a process of its own.

Pictures, videos and documents of strangers are opened by decoders with a long history of faults:
a child process opens them, with limits on memory and time, an empty environment and no secret.
The server itself never imports a decoder.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from core.errors import (
    InvalidRequest,
    PayloadTooLarge,
    ServiceUnavailable,
    SupportError,
    UnsupportedMedia,
)
from core.providers.isolation import start_isolated
from core.telemetry import logger

WORKERS_AT_ONCE = 2
TIMEOUT_SECONDS = 20.0
_ERRORS: Mapping[str, type[SupportError]] = {
    "unsupported": UnsupportedMedia,
    "too_large": PayloadTooLarge,
    "unreadable": InvalidRequest,
    "no_space": ServiceUnavailable,
}


@dataclass(frozen=True)
class PreparedFile:
    """A file that may be kept: made anew, with what is known of it.

    `sharpness` is the variance of the Laplacian and `brightness` a mean of 0 to 255; pictures
    alone have them. `thumbnail` is a JPEG; a PDF has none.
    """

    path: Path
    media_type: str
    size_bytes: int
    thumbnail: Path | None = None
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    sharpness: float | None = None
    brightness: float | None = None

    @property
    def extension(self) -> str:
        return self.path.suffix


@dataclass(frozen=True)
class MediaWorkers:
    """How many files one process lets be read at once; the others wait."""

    free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(WORKERS_AT_ONCE))

    async def prepare(
        self,
        file: BinaryIO,
        announced_type: str,
        folder: Path,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> PreparedFile:
        """Check an open file and write what may be kept of it into an empty folder.

        Raises UnsupportedMedia (type not accepted, or another than announced), PayloadTooLarge
        (pixels, pages or seconds), InvalidRequest (damaged, protected, or not read in time) and
        ServiceUnavailable (no space).
        """
        async with self.free:
            report = await _ask_worker(file, announced_type, folder, timeout_seconds)
        return _prepared(report, folder)


def _prepared(report: Mapping[str, Any], folder: Path) -> PreparedFile:
    if "refused" in report:
        raise _ERRORS[report["refused"]](report["message"])
    found = dict(report["prepared"])
    path = folder / found.pop("content")
    thumbnail = found.pop("thumbnail", None)
    found.pop("pages", None)
    return PreparedFile(
        path=path,
        size_bytes=path.stat().st_size,
        thumbnail=folder / thumbnail if thumbnail else None,
        **found,
    )


async def _ask_worker(
    file: BinaryIO, announced_type: str, folder: Path, timeout_seconds: float
) -> Mapping[str, Any]:
    worker = await start_isolated(
        "core.providers.media.worker",
        str(folder),
        announced_type,
        stdin=file.fileno(),
        environment={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )
    try:
        async with asyncio.timeout(timeout_seconds):
            output, _ = await worker.communicate()
    except TimeoutError as error:
        raise InvalidRequest("The file could not be read in time; send another.") from error
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()
    if worker.returncode != 0:
        logger("core.media").warning("media_worker_failed", status=worker.returncode)
        raise InvalidRequest("The file is damaged and cannot be read.")
    report: Mapping[str, Any] = json.loads(output)
    return report
