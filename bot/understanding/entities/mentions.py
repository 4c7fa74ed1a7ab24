"""Which types, rooms, colours, materials and shops does a message name, and which exclude?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from rapidfuzz.distance import OSA

from bot.understanding.entities.expressions import folded, read_list, words_of
from bot.understanding.entities.text import stem
from bot.understanding.entities.vocabulary import Tokens, Vocabulary

_MIN_TYPO_LENGTH = 5
_LONG_WORD = 9
_MAX_TYPO_CHECKS = 60
_MAX_BACKWARD_WORDS = 4


@dataclass(frozen=True)
class Mention:
    """A value that a message names, the span of its words, and whether the message excludes it."""

    kind: str
    value: str
    start: int
    end: int
    excluded: bool = False


def correct(
    word: str, candidates: Mapping[str, Sequence[str]], everyday: frozenset[str]
) -> str | None:
    """The listed word that a stem is a typo of, or None.

    One letter (swapped, missing, added, replaced) in words of five letters, two from nine on;
    the first letter must be right and everyday words are left alone.
    """
    if len(word) < _MIN_TYPO_LENGTH or word in everyday or not word.isalpha() or len(word) > 24:
        return None
    allowed = 2 if len(word) >= _LONG_WORD else 1
    best: tuple[int, str] | None = None
    for candidate in candidates.get(word[0], ()):
        if abs(len(candidate) - len(word)) <= allowed and len(candidate) >= _MIN_TYPO_LENGTH:
            distance = OSA.distance(word, candidate, score_cutoff=allowed)
            if distance <= allowed and (best is None or distance < best[0]):
                best = (distance, candidate)
    return best[1] if best else None


def corrected_stems(tokens: Sequence[str], vocabulary: Vocabulary, language: str) -> list[str]:
    """Stems of the words of a message, typos of listed words put right."""
    near, everyday = vocabulary.near[language], vocabulary.everyday[language]
    known = vocabulary.known[language]
    checks = 0
    result: list[str] = []
    for token in tokens:
        word = stem(token)
        if word not in known and len(word) >= _MIN_TYPO_LENGTH and checks < _MAX_TYPO_CHECKS:
            checks += 1
            word = correct(word, near, everyday) or word
        result.append(word)
    return result


def find_mentions(
    words: Sequence[str], vocabulary: Vocabulary, language: str
) -> tuple[Mention, ...]:
    """Longest listed forms, left to right; `words` are corrected stems and punctuation."""
    phrases = vocabulary.phrases[language]
    mentions: list[Mention] = []
    position = 0
    while position < len(words):
        length, values = _longest(words, position, phrases, vocabulary.longest)
        for kind, value in values:
            mentions.append(Mention(kind, value, position, position + length))
        position += length
    return tuple(_mark_excluded(mentions, words, language))


def _longest(
    words: Sequence[str],
    position: int,
    phrases: Mapping[Tokens, tuple[tuple[str, str], ...]],
    longest: Mapping[str, int],
) -> tuple[int, tuple[tuple[str, str], ...]]:
    most = min(longest.get(words[position], 0), len(words) - position)
    for length in range(most, 0, -1):
        values = phrases.get(tuple(words[position : position + length]))
        if values:
            return length, values
    return 1, ()


@dataclass(frozen=True)
class _Negations:
    # By their last word.
    strong: Mapping[str, tuple[Tokens, ...]]
    weak: Mapping[str, tuple[Tokens, ...]]
    never_after: frozenset[str]
    fillers: frozenset[str]
    definite: frozenset[str]
    joined_by: frozenset[str]


@cache
def _negations(language: str) -> _Negations:
    section = read_list("expressions")["exclusions"]

    def phrases(name: str) -> Mapping[str, tuple[Tokens, ...]]:
        found: dict[str, tuple[Tokens, ...]] = {}
        for word in folded(words_of(section[name], language)):
            phrase = tuple(stem(part) for part in word.replace("'", " ").split())
            found[phrase[-1]] = (*found.get(phrase[-1], ()), phrase)
        return found

    def flat(name: str) -> frozenset[str]:
        return frozenset(stem(word) for word in folded(section[name]))

    return _Negations(
        phrases("strong"), phrases("weak"), flat("never_after"), flat("fillers") | {"1"},
        flat("definite"), flat("joined_by"),
    )  # fmt: skip


def _mark_excluded(
    mentions: Sequence[Mention], words: Sequence[str], language: str
) -> list[Mention]:
    negations = _negations(language)
    result: list[Mention] = []
    for mention in mentions:
        excluded = _is_negated(mention, words, negations) or _continues_exclusion(
            mention, result, words, negations
        )
        result.append(
            Mention(mention.kind, mention.value, mention.start, mention.end, True)
            if excluded
            else mention
        )
    return result


def _is_negated(mention: Mention, words: Sequence[str], negations: _Negations) -> bool:
    """Whether a negation stands before a mention, only articles and prepositions between."""
    definite = False
    position = mention.start
    for _step in range(_MAX_BACKWARD_WORDS):
        if _ends_with(words, position, negations.strong):
            return True
        size = _ends_with(words, position, negations.weak)
        if size:
            before = words[position - size - 1] if position > size else ""
            if before in negations.never_after:
                return False
            return mention.kind in ("colour", "material") or not (
                definite or mention.kind != "type"
            )
        if position == 0 or words[position - 1] not in negations.fillers:
            return False
        position -= 1
        definite = definite or words[position] in negations.definite
    return False


def _ends_with(
    words: Sequence[str], position: int, phrases: Mapping[str, tuple[Tokens, ...]]
) -> int:
    """How many words the phrase has that ends before a position; 0 where none does."""
    if position == 0:
        return 0
    for phrase in phrases.get(words[position - 1], ()):
        size = len(phrase)
        if size <= position and tuple(words[position - size : position]) == phrase:
            return size
    return 0


def _continues_exclusion(
    mention: Mention, earlier: Sequence[Mention], words: Sequence[str], negations: _Negations
) -> bool:
    """ "sauf cuir et velours": a mention joined to an excluded one of its kind is excluded too."""
    previous = next((item for item in reversed(earlier) if item.kind == mention.kind), None)
    if previous is None or not previous.excluded or previous.start == mention.start:
        return False
    between = words[previous.end : mention.start]
    return (
        bool(between)
        and between[0] in negations.joined_by
        and all(word in negations.fillers for word in between[1:])
    )
