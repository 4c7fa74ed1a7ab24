"""Which pieces does a text consist of? The most probable cut of each word (Unigram, Kudo 2018)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from core.providers.e5.weights import Vocabulary
from core.providers.prepared import read_array, write_arrays

FIRST_PIECE = 0
LAST_PIECE = 2
UNKNOWN_PIECE = 3
UNKNOWN_PENALTY = 10.0
LONGEST_PIECE_BYTES = 32
LONGEST_WORD_CHARACTERS = 100
KEPT_WORDS = 4_096
WORD_START = "\u2581"


class Pieces:
    """Cuts texts as the model was taught them.

    Its 250,000 pieces lie in a mapped file that `prepare` has written to `folder`: a word needs a
    few dozen of their 8 MB.
    """

    def __init__(self, folder: Path, replaced: dict[int, str]) -> None:
        self._replaced = replaced
        self._known = read_array(folder, "known", by_chance=True)
        self._ids, self._scores = read_array(folder, "ids"), read_array(folder, "scores")
        self._unknown = float(self._scores.min()) - UNKNOWN_PENALTY
        # By instance: the pieces of another vocabulary are other ones.
        self._of_word = lru_cache(KEPT_WORDS)(self._cut)

    def of(self, text: str, most: int) -> list[int]:
        """The first `most` pieces of a text, between the marks of its start and end."""
        words = text.translate(self._replaced).split(" ")
        found = [FIRST_PIECE]
        for place, word in enumerate(words):
            if word or place == 0:
                for start in range(0, len(word) or 1, LONGEST_WORD_CHARACTERS):
                    part = word[start : start + LONGEST_WORD_CHARACTERS]
                    found.extend(self._of_word(part if start else WORD_START + part))
            if len(found) > most:
                break
        return [*found[: most + 1], LAST_PIECE]

    def _cut(self, word: str) -> tuple[int, ...]:
        """The most probable pieces of one word."""
        characters = [one.encode("utf-8", "replace") for one in word]
        ends = np.cumsum([0, *map(len, characters)]).tolist()
        data = b"".join(characters)
        count = len(characters)
        spans = [
            (start, end)
            for start in range(count)
            for end in range(start + 1, count + 1)
            if ends[end] - ends[start] <= LONGEST_PIECE_BYTES
        ]
        known = self._find([data[ends[start] : ends[end]] for start, end in spans])
        best = [0.0] + [-np.inf] * count
        came = [(0, UNKNOWN_PIECE)] * (count + 1)
        for (start, end), piece in zip(spans, known, strict=True):
            score = -np.inf if piece < 0 else best[start] + float(self._scores[piece])
            if piece < 0 and end == start + 1:
                score, piece = best[start] + self._unknown, UNKNOWN_PIECE
            if score > best[end]:
                best[end], came[end] = score, (start, piece)
        found: list[int] = []
        while count:
            count, piece = came[count]
            found.append(piece)
        return tuple(reversed(found))

    def _find(self, parts: list[bytes]) -> list[int]:
        """The piece that each part is; -1 for none."""
        wanted = np.array(parts, dtype=self._known.dtype)
        places = np.minimum(np.searchsorted(self._known, wanted), len(self._known) - 1)
        ids = np.where(self._known[places] == wanted, self._ids[places], -1)
        return [int(one) for one in ids]


def prepare(vocabulary: Vocabulary, folder: Path) -> None:
    """Write the pieces in the order of their bytes, which they are, and the scores of all."""
    offsets = vocabulary.offsets.astype(np.int64)
    lengths = np.diff(offsets)
    ids = np.flatnonzero((lengths > 0) & (lengths <= LONGEST_PIECE_BYTES))
    ids = ids[ids > UNKNOWN_PIECE]
    letters = np.zeros((len(ids), LONGEST_PIECE_BYTES), dtype=np.uint8)
    blob = np.frombuffer(vocabulary.blob, dtype=np.uint8)
    for place in range(LONGEST_PIECE_BYTES):
        has = lengths[ids] > place
        letters[has, place] = blob[offsets[ids[has]] + place]
    known = letters.view(f"S{LONGEST_PIECE_BYTES}").ravel()
    order = np.argsort(known, kind="stable")
    sorted_ids = ids[order].astype(np.int32)
    write_arrays(folder, {"known": known[order], "ids": sorted_ids, "scores": vocabulary.scores})
