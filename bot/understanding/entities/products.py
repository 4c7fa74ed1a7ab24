"""Which products does a message name: by reference, by name with typos, by range?"""

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from bot.understanding.entities.text import stem
from bot.understanding.entities.vocabulary import Product, Vocabulary

MAX_PRODUCTS = 8
_RANGE_SCORE = 0.5
_TYPO_PENALTY = 0.08
_OTHER_TYPE_FACTOR = 0.5
_KEPT_BELOW_BEST = 0.3
_LOWEST_SCORE = 0.3
_MAX_TYPO_CHECKS = 40
_LONG_WORD = 9
"""Shorter ranges with a typo need another word of the product's name beside them."""


@dataclass(frozen=True)
class ProductMention:
    """A product that a message names; `score` is 1.0 for its full name or reference, else less."""

    sku: str
    name: str
    score: float


def find_products(
    words: Sequence[str], type_words: frozenset[str], vocabulary: Vocabulary
) -> tuple[ProductMention, ...]:
    """Products that a message names, best first.

    `words`: stems of the message; `type_words`: those that name a furniture type (a product whose
    name lacks all of them is less likely). A name within a longer one at the same place is left
    out. A range alone ("le Oslo") gives all its products with 0.5.
    """
    scores = _exact(words, vocabulary)
    if not scores:
        scores = _by_range(words, type_words, vocabulary)
    best = max(scores.values(), default=0.0)
    kept = [
        (sku, score)
        for sku, score in scores.items()
        if score >= max(best - _KEPT_BELOW_BEST, _LOWEST_SCORE)
    ]
    kept.sort(key=lambda item: -item[1])
    return tuple(
        ProductMention(sku, vocabulary.products[sku].name, round(score, 3))
        for sku, score in kept[:MAX_PRODUCTS]
    )


def _exact(words: Sequence[str], vocabulary: Vocabulary) -> dict[str, float]:
    found: dict[str, float] = {}
    position = 0
    while position < len(words):
        step = 1
        most = min(vocabulary.longest.get(words[position], 0), len(words) - position)
        for length in range(most, 0, -1):
            skus = vocabulary.names.get(tuple(words[position : position + length]))
            if skus:
                found.update(dict.fromkeys(skus, 1.0))
                step = length
                break
        position += step
    return found


def _by_range(
    words: Sequence[str], type_words: frozenset[str], vocabulary: Vocabulary
) -> dict[str, float]:
    said = set(words)
    scores: dict[str, float] = {}
    for word, meant in _distinctive_words(words, vocabulary):
        typo = word != meant
        for sku in vocabulary.by_word[meant]:
            product = vocabulary.products[sku]
            matched = (said & product.words) | {meant}
            if typo and len(meant) < _LONG_WORD and len(matched) < 2:
                continue
            score = _RANGE_SCORE + (1 - _RANGE_SCORE) * _coverage(product, matched, vocabulary)
            score -= _TYPO_PENALTY if typo else 0.0
            if type_words and not type_words & product.words:
                score *= _OTHER_TYPE_FACTOR
            scores[sku] = max(score, scores.get(sku, 0.0))
    return scores


def _coverage(
    product: Product, matched: set[str] | frozenset[str], vocabulary: Vocabulary
) -> float:
    """Share of a name that was said, by weight, the range itself aside."""
    others = product.words - product.distinctive
    total = sum(vocabulary.weights.get(word, 1.0) for word in others)
    said = sum(vocabulary.weights.get(word, 1.0) for word in others & matched)
    return min(0.99, said / total) if total else 0.99


def _distinctive_words(words: Sequence[str], vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """Words that name a range, exactly or with one typo, as (said, meant)."""
    found: dict[str, tuple[str, str]] = {}
    checks = 0
    known = vocabulary.weights
    for word in dict.fromkeys(words):
        if word in vocabulary.by_word:
            found[word] = (word, word)
        elif len(word) >= 4 and word not in known and word.isalpha() and checks < _MAX_TYPO_CHECKS:
            if word in vocabulary.everyday["fr"]:
                continue
            checks += 1
            allowed = 2 if len(word) >= _LONG_WORD else 1
            for candidate in vocabulary.name_words.get(word[0], ()) + _swapped(word, vocabulary):
                if OSA.distance(word, candidate, score_cutoff=allowed) <= allowed:
                    found.setdefault(candidate, (word, candidate))
    return list(found.values())


def _swapped(word: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The range that the word is, should its first two letters be swapped."""
    candidate = stem(word[1] + word[0] + word[2:])
    return (candidate,) if candidate in vocabulary.by_word else ()
