"""Memory that was freed goes back to the system.

The C library keeps what a process has freed for its next request: after weights were converted or
an index was filled that is tens of megabytes which nothing will ask for again.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress


def give_back_freed_memory() -> None:
    """Return freed memory to the system, where the C library can (glibc); takes milliseconds."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
