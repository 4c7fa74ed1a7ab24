"""Why a file is not taken, as the media worker tells its parent."""

from __future__ import annotations

from typing import Literal

Reason = Literal["unsupported", "too_large", "unreadable", "no_space"]


class Refused(Exception):
    """The file is not taken; the message is meant for whoever sent it."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
