"""Telephone sound: G.711 μ-law at 8 kHz to and from the 16 kHz that calls are held in."""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import NDArray

_Samples = NDArray[numpy.int16]

_BIAS = 0x84
_CLIP = 32_635
TAPS = 47


def _decoding_table() -> _Samples:
    """ITU-T G.711: sign, three bits of exponent, four of mantissa, all inverted."""
    codes = ~numpy.arange(256, dtype=numpy.int32) & 0xFF
    exponents, mantissas = (codes >> 4) & 7, codes & 15
    magnitudes = (((mantissas << 3) + _BIAS) << exponents) - _BIAS
    return numpy.where(codes & 0x80, -magnitudes, magnitudes).astype(numpy.int16)


def _half_band() -> NDArray[numpy.float64]:
    """A low pass at a quarter of 16 kHz: a windowed sinc."""
    at = numpy.arange(TAPS) - TAPS // 2
    kernel = numpy.sinc(at * 0.46) * numpy.hamming(TAPS)
    return numpy.asarray(kernel / kernel.sum())


_DECODED = _decoding_table()
_KERNEL = _half_band()


def decode(codes: bytes) -> bytes:
    """μ-law codes as 16-bit samples."""
    return _DECODED[numpy.frombuffer(codes, numpy.uint8)].tobytes()


def encode(samples: bytes) -> bytes:
    """16-bit samples as μ-law codes."""
    values = numpy.frombuffer(samples, "<i2").astype(numpy.int32)
    magnitudes = numpy.minimum(numpy.abs(values), _CLIP) + _BIAS
    exponents = numpy.floor(numpy.log2(magnitudes)).astype(numpy.int32) - 7
    mantissas = (magnitudes >> (exponents + 3)) & 15
    signs = numpy.where(values < 0, 0x80, 0)
    codes = ~(signs | (exponents << 4) | mantissas) & 0xFF
    return bytes(codes.astype(numpy.uint8).tobytes())


class _Filter:
    """The low pass over a stream: what it remembers joins one piece to the next."""

    def __init__(self) -> None:
        self._tail: NDArray[Any] = numpy.zeros(TAPS - 1)

    def pass_on(self, values: NDArray[Any]) -> NDArray[Any]:
        joined = numpy.concatenate([self._tail, values])
        self._tail = joined[-(TAPS - 1) :]
        filtered: NDArray[Any] = numpy.convolve(joined, _KERNEL, mode="valid")
        return filtered


class Doubler:
    """8 kHz to 16 kHz, piece by piece."""

    def __init__(self) -> None:
        self._filter = _Filter()

    def convert(self, samples: bytes) -> bytes:
        values = numpy.frombuffer(samples, "<i2")
        spread = numpy.zeros(len(values) * 2)
        spread[::2] = values * 2.0
        return _rounded(self._filter.pass_on(spread))


class Halver:
    """16 kHz to 8 kHz, piece by piece; an odd sample waits for the next piece."""

    def __init__(self) -> None:
        self._filter = _Filter()
        self._rest = b""

    def convert(self, samples: bytes) -> bytes:
        joined = self._rest + samples
        whole = len(joined) - len(joined) % 4
        self._rest = joined[whole:]
        values = numpy.frombuffer(joined[:whole], "<i2")
        if not len(values):
            return b""
        return _rounded(self._filter.pass_on(values.astype(numpy.float64))[::2])


def _rounded(values: NDArray[Any]) -> bytes:
    clipped = numpy.clip(numpy.rint(values), -32_768, 32_767)
    return bytes(clipped.astype("<i2").tobytes())
