"""Has the caller finished? A pure judgement of what was heard and how long it has been silent.

Silence alone cuts off who is looking for a word or reads a number in groups; words alone answer
too late. So each ending of what was heard has a silence of its own that must follow it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

FILE = Path(__file__).with_name("turn_words.yaml")

# Silence after which a turn ends, in milliseconds.
SHORT_ANSWER = 400
COMPLETE = 600
NUMBER = 1_000
TRAILING_OFF = 1_700
SPELLING = 2_300

ORDER_DIGITS = 10
PHONE_DIGITS = 10
# What nobody says faster: text that is denser than this was not said (fast speech has 20).
MAXIMUM_CHARACTERS_A_SECOND = 35
SHORTEST_PLAUSIBLE_CHARACTERS = 12
MAXIMUM_AGREEING_WORDS = 4
SYLLABLE_MILLISECONDS = 400
MAXIMUM_FAREWELL_WORDS = 9

_NUMBERED = re.compile(r"\b(cmd|tkt)\b[\s.-]*([\d\s.-]*)$")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.\w{2,}$")
_TAIL_DIGITS = re.compile(r"(?<![\w,])\+?\d[\d\s.\-/]*$")
_SPELLED_LETTERS = re.compile(r"(?:^|[\s,])(?:[a-z][\s,.-]+){1,}[a-z]$")
_WORD = re.compile(r"[\w'@+-]+")


@dataclass(frozen=True)
class TurnWords:
    """The words of a language that tell whether somebody has finished; see turn_words.yaml."""

    unfinished: frozenset[str]
    hesitations: frozenset[str]
    short_answers: frozenset[str]
    agreeing: frozenset[str]
    interrupting: frozenset[str]
    farewells: frozenset[str]
    announced: frozenset[str]
    spelled: frozenset[str]


@cache
def _all_words() -> dict[str, TurnWords]:
    with FILE.open(encoding="utf-8") as file:
        read = yaml.safe_load(file)
    return {
        language: TurnWords(**{name: _set_of(words) for name, words in groups.items()})
        for language, groups in read.items()
    }


def _set_of(words: str | list[str]) -> frozenset[str]:
    return frozenset(words.split() if isinstance(words, str) else words)


def turn_words(language: str) -> TurnWords:
    """The words of a language; French ones for a language that has none."""
    return _all_words().get(language, _all_words()["fr"])


def fold(text: str) -> str:
    """A text without case and accents, its apostrophes straight."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("’", "'").replace("ß", "ss"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def ends_turn(text: str, silence_milliseconds: int, language: str = "fr") -> bool:
    """Whether a caller who said this and has been silent so long has finished."""
    return silence_milliseconds >= silence_needed(text, language)


def silence_needed(text: str, language: str = "fr") -> int:
    """How many milliseconds of silence end a turn in which this was heard so far."""
    words = turn_words(language)
    folded = fold(text).strip()
    said = _WORD.findall(folded)
    if not said:
        return COMPLETE
    if folded.endswith(("...", "…", "-", ",")):
        return TRAILING_OFF
    bare = folded.rstrip(" .!?")
    spelled = _silence_while_spelling(bare, said, words)
    if spelled is not None:
        return spelled
    if said[-1] in words.hesitations:
        return TRAILING_OFF
    if folded.endswith("?") and said[-1] not in {"et", "ou", "and", "or", "y", "und", "e", "en"}:
        return COMPLETE
    if all(word in words.short_answers for word in said):
        return SHORT_ANSWER
    if said[-1] in words.unfinished or said[-1].endswith("'"):
        return TRAILING_OFF
    return COMPLETE


def _silence_while_spelling(bare: str, said: Sequence[str], words: TurnWords) -> int | None:
    """The silence that ends a number, an address or letters; None where nothing is spelled."""
    at = _as_address(bare, words)
    if "@" in at:
        return COMPLETE if _ADDRESS.search(at) else SPELLING
    numbered = _NUMBERED.search(bare)
    if numbered is not None:
        return COMPLETE if _digits(numbered[2]) >= ORDER_DIGITS else SPELLING
    if said[-1] in words.spelled and len(said) > 1 and said[-1] != "point":
        return SPELLING
    announced = any(word in words.announced for word in said)
    tail = _TAIL_DIGITS.search(bare)
    if tail is not None:
        return _silence_after_digits(tail[0], announced)
    if _SPELLED_LETTERS.search(bare):
        return SPELLING
    # "Mon numéro de commande, c'est", "mon adresse, c'est jean point dupont": more is to come.
    still = said[-1] in words.unfinished or any(word in words.spelled - {"at"} for word in said)
    return SPELLING if announced and still else None


def _silence_after_digits(tail: str, announced: bool) -> int:
    digits = _digits(tail)
    is_phone = tail.startswith(("0", "+"))
    if digits >= PHONE_DIGITS or (tail.startswith("+") and digits > PHONE_DIGITS):
        return COMPLETE
    return SPELLING if is_phone or announced else NUMBER


def _digits(text: str) -> int:
    return sum(letter.isdigit() for letter in text)


def _as_address(bare: str, words: TurnWords) -> str:
    """What was said as an address is written: "jean point dupont arobase free point fr"."""
    written = bare
    signs = {"arobase": "@", "arobas": "@", "arroba": "@", "chiocciola": "@", "apenstaartje": "@"}
    if "at" in words.spelled and re.search(r"\bat\b.*\bdot\b|\bat \w+$", bare):
        if any(word in words.announced for word in _WORD.findall(bare)):
            signs["at"] = "@"
    for word, sign in signs.items():
        written = re.sub(rf"\s*\b{word}\b\s*", sign, written)
    if "@" not in written:
        return written
    written = re.sub(r"\s*\b(?:point|dot|punto|punkt|punt)\b\s*", ".", written)
    return re.sub(r"\s*\b(?:tiret|dash|hyphen)\b\s*", "-", written)


def only_agrees(text: str, language: str = "fr", voice_milliseconds: int | None = None) -> bool:
    """Whether this only shows that the caller follows: "oui", "d'accord", "hum" (row X14).

    A single word in less than `SYLLABLE_MILLISECONDS` is often misheard: it agrees unless it is
    one that interrupts, such as "non" or "stop".
    """
    said = _WORD.findall(fold(text))
    if not said:
        return True
    words = turn_words(language)
    if len(said) == 1 and voice_milliseconds is not None:
        if voice_milliseconds < SYLLABLE_MILLISECONDS and said[0] not in words.interrupting:
            return True
    return len(said) <= MAXIMUM_AGREEING_WORDS and all(word in words.agreeing for word in said)


def says_goodbye(text: str, language: str = "fr") -> bool:
    """Whether a caller takes their leave: a farewell, with little else and no question."""
    folded = fold(text)
    if "?" in folded or len(_WORD.findall(folded)) > MAXIMUM_FAREWELL_WORDS:
        return False
    return any(re.search(rf"\b{one}\b", folded) for one in turn_words(language).farewells)


def is_plausible(text: str, voice_milliseconds: int) -> bool:
    """Whether so much can be said in so short a time: recognisers make sentences of noise."""
    if len(text) <= SHORTEST_PLAUSIBLE_CHARACTERS:
        return True
    return len(text) * 1_000 <= MAXIMUM_CHARACTERS_A_SECOND * max(voice_milliseconds, 1)
