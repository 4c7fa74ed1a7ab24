"""The process in which a stranger's file is opened: little memory, little time, no secrets.

Reads the file from its standard input, writes what is kept into the folder of its first argument,
and says in one line of JSON what it found. The second argument is the announced type.
"""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from core.providers.isolation import limit_resources
from core.providers.media.kinds import HEAD_BYTES, KIND_OF_TYPE, check_announced, media_type_of
from core.providers.media.refusal import Refused

MAXIMUM_MEMORY_BYTES = 1024**3
MAXIMUM_CPU_SECONDS = 20
MAXIMUM_WRITTEN_BYTES = 64 * 1024**2
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def main() -> None:
    """Prepare one file and report."""
    limit_resources(MAXIMUM_MEMORY_BYTES, MAXIMUM_CPU_SECONDS, MAXIMUM_WRITTEN_BYTES)
    folder, announced = Path(sys.argv[1]), sys.argv[2]
    print(json.dumps(_report(sys.stdin.buffer, announced, folder)))  # noqa: T201


def _report(file: BinaryIO, announced: str, folder: Path) -> Mapping[str, Any]:
    try:
        return {"prepared": _prepare(file, announced, folder)}
    except Refused as refusal:
        return {"refused": refusal.reason, "message": refusal.message}
    except MemoryError:
        return {"refused": "too_large", "message": "The file takes too much memory to be read."}
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        return {"refused": "no_space", "message": "There is no space left to keep the file."}


def _prepare(file: BinaryIO, announced: str, folder: Path) -> Mapping[str, Any]:
    head = file.read(HEAD_BYTES)
    file.seek(0)
    media_type = media_type_of(head)
    check_announced(announced, media_type)
    # Each reader is imported only where it is needed: a picture does not pay for the video one.
    match KIND_OF_TYPE[media_type]:
        case "picture":
            from core.providers.media.picture import prepare_picture

            return prepare_picture(file, media_type, folder)
        case "video":
            from core.providers.media.video import prepare_video

            return prepare_video(file, media_type, folder)
        case "pdf":
            from core.providers.media.pdf import prepare_pdf

            return prepare_pdf(file, folder)


if __name__ == "__main__":
    main()
