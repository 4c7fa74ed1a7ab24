"""What does plain word search find? BM25 (Robertson and Zaragoza 2009) over titles and texts.

The figure beside ours: each document is its title twice and its text, words are compared as they
stand. It tells how hard a set of questions is, whoever wrote it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.documents import NewDocument

SATURATION = 1.5
LENGTH_SHARE = 0.75


def word_ranks(
    corpus: Mapping[str, Sequence[NewDocument]], asked: Sequence[tuple[str, Sequence[str]]]
) -> list[int | None]:
    """Where the first right document of each (question, names) comes; None: no word is shared."""
    names = list(corpus)
    counts = [Counter(_words(_text(corpus[name]))) for name in names]
    ranks: list[int | None] = []
    for question, right in asked:
        scores = _scores(counts, set(_words(question)))
        best = max((scores[names.index(one)] for one in right if one in corpus), default=0.0)
        ranks.append(int((scores > best).sum()) if best > 0 else None)
    return ranks


def _text(versions: Sequence[NewDocument]) -> str:
    return " ".join(f"{one.title} {one.title} {one.text}" for one in versions)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _scores(counts: Sequence[Counter[str]], words: set[str]) -> NDArray[np.float64]:
    lengths = np.array([sum(one.values()) for one in counts], dtype=float)
    norms = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * lengths / lengths.mean())
    scores = np.zeros(len(counts))
    for word in words:
        found = np.array([one[word] for one in counts], dtype=float)
        holding = float((found > 0).sum())
        rarity = math.log(1 + (len(counts) - holding + 0.5) / (holding + 0.5))
        scores += rarity * found * (SATURATION + 1) / (found + norms)
    return scores
