"""How is a message of protocol buffers written, for a format of which a few fields are needed?

Field numbers are those of onnx.proto; only the wire types of whole numbers (0), bytes (2) and
32-bit numbers (5) occur.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

Value = int | float | str | bytes | Sequence["Value"]


def message(*fields: tuple[int, Value]) -> bytes:
    """The message with these fields, by number; a list is a repeated field."""
    return b"".join(_field(number, value) for number, value in fields)


def _field(number: int, value: Value) -> bytes:
    match value:
        case int():
            return _varint(number << 3) + _varint(value)
        case float():
            return _varint(number << 3 | 5) + struct.pack("<f", value)
        case str():
            return _field(number, value.encode())
        case bytes():
            return _varint(number << 3 | 2) + _varint(len(value)) + value
        case _:
            return b"".join(_field(number, one) for one in value)


def _varint(value: int) -> bytes:
    """A whole number, seven bits a byte; a negative one as its complement in 64 bits."""
    left = value & 0xFFFF_FFFF_FFFF_FFFF
    written = bytearray()
    while left > 127:
        written.append(left & 127 | 128)
        left >>= 7
    written.append(left)
    return bytes(written)
