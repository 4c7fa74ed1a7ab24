"""How often a caller may use each group of addresses, how large a body and how long a wait may be.

The figures are those of seed 003; the operators' contract takes the ones of "other" addresses.
Custom endpoints bring limits of their own, and monitoring has none.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

MEBIBYTE = 1024 * 1024
BODY_LIMIT_BYTES = 5 * MEBIBYTE
UPLOAD_LIMIT_BYTES = 10 * MEBIBYTE
# What multipart headers and the other fields may add to a file.
MULTIPART_ALLOWANCE_BYTES = 64 * 1024
TIME_LIMIT_SECONDS = 30.0

_UPLOAD_PATHS = frozenset({"/api/v1/knowledge/documents"})


@dataclass(frozen=True)
class Group:
    """Addresses that share one allowance; `by_address` ignores who is signed in."""

    name: str
    item: RateLimitItem
    by_address: bool = False


LOGIN = Group("login", RateLimitItemPerMinute(5), by_address=True)
CHAT = Group("chat", RateLimitItemPerMinute(100))
SUPPORT = Group("support", RateLimitItemPerMinute(100))
ADMIN = Group("admin", RateLimitItemPerMinute(100))

_GROUPS = {"/api/auth/login": LOGIN, "/api/v1/auth/login": LOGIN, "/api/chat": CHAT}


def group_of(path: str) -> Group | None:
    """The group of an address; None where nothing is counted."""
    path = path.rstrip("/")
    if path in _GROUPS:
        return _GROUPS[path]
    if not path.startswith("/api/") or path.startswith("/api/custom/"):
        return None
    return ADMIN if path == "/api/v1" or path.startswith("/api/v1/") else SUPPORT


def body_limit_bytes(path: str, content_type: str) -> tuple[int, int]:
    """The largest body of an address, and the size that is announced for it."""
    if path.rstrip("/") not in _UPLOAD_PATHS:
        return BODY_LIMIT_BYTES, BODY_LIMIT_BYTES
    multipart = content_type.lower().startswith("multipart/")
    return UPLOAD_LIMIT_BYTES + MULTIPART_ALLOWANCE_BYTES * multipart, UPLOAD_LIMIT_BYTES


@dataclass(frozen=True)
class Allowance:
    """What is left to a caller within a group until `reset_at` (seconds since 1970)."""

    allowed: bool
    limit: int
    remaining: int
    reset_at: float

    @property
    def retry_after_seconds(self) -> int:
        return max(1, math.ceil(self.reset_at - time.time()))

    def headers(self) -> Mapping[str, str]:
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.remaining),
            "x-ratelimit-reset": str(math.ceil(self.reset_at)),
        }


class RateLimits:
    """The counters of one process: a window opens with a caller's first request."""

    def __init__(self) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def hit(self, group: Group, caller: str) -> Allowance:
        """Count one request; exact however many arrive at once."""
        allowed = await self._limiter.hit(group.item, group.name, caller)
        window = await self._limiter.get_window_stats(group.item, group.name, caller)
        return Allowance(allowed, group.item.amount, max(0, window.remaining), window.reset_time)
