"""Digits pressed on a keypad: what do they say once they are complete?"""

from __future__ import annotations

# A number ends by #, or when no key follows for so long.
PAUSE_SECONDS = 2.5
MAXIMUM_KEYS = 20
KEYS = frozenset("0123456789*#")
ORDER_DIGITS = 10


class Keypad:
    """The keys that were pressed and not taken yet."""

    def __init__(self) -> None:
        self._keys = ""
        self._last = 0.0
        self._is_complete = False

    @property
    def is_open(self) -> bool:
        return bool(self._keys)

    def press(self, key: str, now: float) -> None:
        """Take one key; others than those of a telephone mean nothing."""
        if key not in KEYS or len(key) != 1:
            return
        self._last = now
        if key == "#" or len(self._keys) >= MAXIMUM_KEYS:
            self._is_complete = bool(self._keys)
        else:
            self._keys += key

    def take(self, now: float) -> str | None:
        """What was pressed, once it is complete, as a customer would write it."""
        if not self._keys or not (self._is_complete or now - self._last >= PAUSE_SECONDS):
            return None
        keys, self._keys, self._is_complete = self._keys, "", False
        return written(keys)


def written(keys: str) -> str:
    """Ten digits that begin with a year are an order number; French telephones begin with 0."""
    if len(keys) == ORDER_DIGITS and keys.isdigit() and keys.startswith("20"):
        return f"CMD-{keys[:4]}-{keys[4:]}"
    return keys
