"""Telephone sound: G.711 both ways, and between 8 and 16 kHz without a seam."""

from __future__ import annotations

import numpy
from hypothesis import given
from hypothesis import strategies as st

from channels.voice import mulaw
from channels.voice.twilio import Digit, Mark, Media, Other, Stopped, read_message


def tone(hertz: float, seconds: float, rate: int) -> bytes:
    times = numpy.arange(int(seconds * rate)) / rate
    return bytes((numpy.sin(2 * numpy.pi * hertz * times) * 12_000).astype("<i2").tobytes())


def loudness(samples: bytes) -> float:
    values = numpy.frombuffer(samples, "<i2").astype(float)
    return float(numpy.sqrt((values**2).mean()))


def test_that_every_code_survives_both_ways() -> None:
    codes = bytes(code for code in range(256) if code != 0x7F)
    assert mulaw.encode(mulaw.decode(codes)) == codes
    # The two zeros of μ-law are one number.
    assert mulaw.decode(b"\x7f") == mulaw.decode(b"\xff") == b"\0\0"


@given(st.lists(st.integers(-32_768, 32_767), max_size=200))
def test_that_coding_errs_by_half_a_step_at_most(values: list[int]) -> None:
    """G.711: sixteen steps an octave of the biased magnitude, so a 32nd of it at most."""
    samples = numpy.array(values, "<i2").tobytes()
    back = numpy.frombuffer(mulaw.decode(mulaw.encode(samples)), "<i2").astype(int)
    for value, decoded in zip(values, back, strict=True):
        carried = min(max(value, -32_635), 32_635)
        assert abs(carried - decoded) <= (abs(carried) + 132) / 32


@given(st.lists(st.integers(1, 700), min_size=1, max_size=12))
def test_that_pieces_join_without_a_seam(sizes: list[int]) -> None:
    sound = tone(440, sum(sizes) / 8_000, 8_000)
    doubler, pieces, at = mulaw.Doubler(), [], 0
    for size in sizes:
        pieces.append(doubler.convert(sound[at : at + size * 2]))
        at += size * 2
    assert b"".join(pieces) == mulaw.Doubler().convert(sound[:at])


def test_that_what_a_telephone_cannot_carry_is_left_out() -> None:
    heard = mulaw.Halver().convert(tone(1_000, 0.5, 16_000))
    mirrored = mulaw.Halver().convert(tone(7_000, 0.5, 16_000))
    assert loudness(heard) > 0.9 * loudness(tone(1_000, 0.5, 16_000))
    assert loudness(mirrored) < 0.01 * loudness(heard)


def test_that_messages_of_the_carrier_are_read() -> None:
    assert read_message('{"event":"media","media":{"payload":"AAE="}}') == Media(b"\0\1")
    assert read_message('{"event":"mark","mark":{"name":"12"}}') == Mark("12")
    assert read_message('{"event":"dtmf","dtmf":{"digit":"5"}}') == Digit("5")
    assert read_message('{"event":"stop","stop":{}}') == Stopped()
    assert read_message('{"event":"something new"}') == Other()
