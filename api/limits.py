"""How often a caller may use each group of addresses, how large a body and how long a wait may be.

The figures are those of seed 003; the operators' contract takes the ones of "other" addresses.
Custom endpoints bring limits of their own, and monitoring has none.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from core.providers.cache import Cache

MEBIBYTE = 1024 * 1024
BODY_LIMIT_BYTES = 5 * MEBIBYTE
UPLOAD_LIMIT_BYTES = 10 * MEBIBYTE
# What multipart headers and the other fields may add to a file.
MULTIPART_ALLOWANCE_BYTES = 64 * 1024
TIME_LIMIT_SECONDS = 30.0
UPLOAD_TIME_LIMIT_SECONDS = 60.0
WINDOW_SECONDS = 60

_SUPPORT_UPLOAD = "/api/upload"
_UPLOAD_PATHS = frozenset({_SUPPORT_UPLOAD, "/api/v1/knowledge/documents"})


@dataclass(frozen=True)
class Group:
    """Addresses that share one allowance a minute; `by_address` ignores who is signed in."""

    name: str
    limit: int
    by_address: bool = False


LOGIN = Group("login", 5, by_address=True)
CHAT = Group("chat", 100)
UPLOAD = Group("upload", 10)
SUPPORT = Group("support", 100)
ADMIN = Group("admin", 100)
# A person at a desk opens a conversation a second when it is busy.
CONSOLE = Group("console", 600)

_GROUPS = {
    "/api/auth/login": LOGIN,
    "/api/v1/auth/login": LOGIN,
    "/api/chat": CHAT,
    _SUPPORT_UPLOAD: UPLOAD,
}


def group_of(path: str) -> Group | None:
    """The group of an address; None where nothing is counted."""
    path = path.rstrip("/")
    if path in _GROUPS:
        return _GROUPS[path]
    if not path.startswith("/api/") or path.startswith("/api/custom/"):
        return None
    if path.startswith("/api/v1/console/"):
        return CONSOLE
    return ADMIN if path == "/api/v1" or path.startswith("/api/v1/") else SUPPORT


def body_limit_bytes(path: str, content_type: str) -> tuple[int, int]:
    """The largest body of an address, and the size that is announced for it."""
    if path.rstrip("/") not in _UPLOAD_PATHS:
        return BODY_LIMIT_BYTES, BODY_LIMIT_BYTES
    multipart = content_type.lower().startswith("multipart/")
    return UPLOAD_LIMIT_BYTES + MULTIPART_ALLOWANCE_BYTES * multipart, UPLOAD_LIMIT_BYTES


def time_limit_seconds(path: str) -> float:
    """How long an address may take to begin its answer."""
    upload = path.rstrip("/") == _SUPPORT_UPLOAD
    return UPLOAD_TIME_LIMIT_SECONDS if upload else TIME_LIMIT_SECONDS


@dataclass(frozen=True)
class Allowance:
    """What is left to a caller within a group for `seconds_left`."""

    allowed: bool
    limit: int
    remaining: int
    seconds_left: float

    @property
    def retry_after_seconds(self) -> int:
        return max(1, math.ceil(self.seconds_left))

    def headers(self) -> list[tuple[bytes, bytes]]:
        reset_at = math.ceil(time.time() + self.seconds_left)
        return [
            (b"x-ratelimit-limit", b"%d" % self.limit),
            (b"x-ratelimit-remaining", b"%d" % self.remaining),
            (b"x-ratelimit-reset", b"%d" % reset_at),
        ]


async def count_request(cache: Cache, group: Group, caller: str) -> Allowance:
    """Count one request of a caller; exact however many arrive at once.

    A window opens with a caller's first request and lasts a minute, so that no minute sees more
    than twice the limit. The cache says how it counts when what it is shared by is down.
    """
    counted = await cache.count(f"{group.name}:{caller}", WINDOW_SECONDS)
    return Allowance(
        allowed=counted.count <= group.limit,
        limit=group.limit,
        remaining=max(0, group.limit - counted.count),
        seconds_left=counted.seconds_left,
    )
