"""Memory that was freed goes back to the system.

The C library keeps what a process has freed for its next request: after weights were converted or
an index was filled that is tens of megabytes which nothing will ask for again.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

# The names that glibc gives these settings in <malloc.h>.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENAS = -1, -3, -8
# Arrays from this size on are mapped for themselves, and go back when they are freed.
# A smaller size would map what an encoder's layers hand on, anew for each message.
MAPPED_BYTES = 1024 * 1024


def keep_little_freed_memory() -> None:
    """Let the C library (glibc) keep little of what is freed: 10 to 40 MB less after a start.

    By itself it raises the size from which memory is mapped with every array that is freed, and
    opens a heap for each thread; the holes between live objects then stay for good. To be called
    before the first thread begins.
    """
    with suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, MAPPED_BYTES)
        library.mallopt(_TRIM_THRESHOLD, MAPPED_BYTES)
        library.mallopt(_ARENAS, 1)


def give_back_freed_memory() -> None:
    """Return freed memory to the system, where the C library can (glibc); takes milliseconds."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
