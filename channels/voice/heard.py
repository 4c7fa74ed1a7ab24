"""What was heard, with the shop's own words put right by what the shop talks of.

A recogniser writes "la coudoir", "table en chaîne" and "canapé au slow": it knows French, but not
what is sold. Two things are mended, in French alone, and only where the recogniser was unsure or
wrote a word that does not exist: such a word, with its neighbours, becomes words of the shop that
sound nearly the same; and of words that sound exactly alike the one is taken that the shop's
talk puts beside its neighbours.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from uuid import UUID

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from bot.understanding.understand import Interpreter
from channels.voice.phonetics import distance, sounds_of
from channels.voice.shop_words import END, START, ShopWords, read_shop_words
from core.providers.speech import Sound, Transcript
from core.runtime import Runtime

CORRECTED_LANGUAGE = "fr"
# Above this the recogniser was sure: known words stay as they are.
SURE_CONFIDENCE = 0.93
LONGEST_SPAN = 3
CANDIDATES = 12
# Of the sounds of a span, how many may differ: the fewer there are, the more each tells.
LARGEST_DIFFERENCES = ((6, 0.13), (8, 0.18), (100, 0.22))
FEWEST_SPAN_SOUNDS = 4
# Words that recognisers let run together have these between them, or nothing.
JOINTS = ("", "à", "de", "en", "du", "le", "la", "un", "et")
FEWEST_JOINED_SOUNDS = 6
# How much more often words must be met in a context to replace others that sound the same.
CLEAR_LEAD = 2
CLEAR_INFLECTION = 5
SHORT_WORD = 3
# What an article may lose its vowel before.
ELIDED = frozenset("aàâeéèêiîoôuhyœ")
# Endings that are not heard: which of them was meant, neighbours on both sides must say.
_INFLECTION = re.compile(r"(?:s|x|e|es|nt|ent|t|d|er|ez|é|ée|és|ées|ais|ait|aient|le|les|s)$")
_WORD = re.compile(r"[^\W\d_]+['’]|[^\W\d_]+(?:-[^\W\d_]+)*|\d+")


@dataclass(frozen=True)
class _Heard:
    """One word of a transcript: in lower case, and where it stands."""

    word: str
    start: int
    end: int


async def listen(
    runtime: Runtime, organization_id: UUID, sound: Sound, language: str | None
) -> Transcript:
    """Write down a sound with the shop's words put right.

    Raises SpeechBusy and SpeechUnavailable (503). Silence gives an empty text.
    """
    heard = await runtime.speech_to_text.transcribe(sound, language=language)
    return await mended(runtime, organization_id, heard)


async def guess(
    runtime: Runtime, organization_id: UUID, sound: Sound, language: str | None
) -> Transcript | None:
    """What is probably being said, put right as in `listen`; None where nobody is free to guess."""
    guessed = await runtime.speech_to_text.guess(sound, language=language)
    return await mended(runtime, organization_id, guessed) if guessed is not None else None


async def mended(runtime: Runtime, organization_id: UUID, heard: Transcript) -> Transcript:
    """A transcript with the shop's own words put right; takes some milliseconds."""
    if heard.language != CORRECTED_LANGUAGE or not heard.text:
        return heard
    words = await _shop_words(runtime, organization_id)
    text = await asyncio.to_thread(mend, heard.text, heard.confidence, words)
    return replace(heard, text=text)


async def _shop_words(runtime: Runtime, organization_id: UUID) -> ShopWords:
    """The shop's words, read again when its catalogue has changed."""
    vocabulary = await runtime.part(Interpreter).vocabulary(organization_id)
    kept: dict[UUID, tuple[object, ShopWords]] = runtime.parts.setdefault(ShopWords, {})
    known = kept.get(organization_id)
    if known is not None and known[0] is vocabulary:
        return known[1]
    async with runtime.database.reading(organization_id) as transaction:
        found = await read_shop_words(runtime, transaction)
    kept[organization_id] = (vocabulary, found)
    return found


def mend(text: str, confidence: float, words: ShopWords) -> str:
    """Put a French text right; `confidence` is the recogniser's, 0 to 1."""
    text = _mend_unknown(text, words)
    return text if confidence >= SURE_CONFIDENCE else _mend_alike(text, words)


def _mend_unknown(text: str, words: ShopWords) -> str:
    """Replace words that do not exist, with their neighbours where that sounds better."""
    heard = _heard(text)
    at = 0
    while at < len(heard):
        if words.knows(heard[at].word):
            at += 1
            continue
        found = _run_together(heard, at, words) or _best_span(heard, at, words)
        if found is None:
            at += 1
            continue
        start, end, run = found
        text = _replaced(text, heard[start].start, heard[end - 1].end, run, words)
        heard = _heard(text)
        at = start + len(run)
    return text


def _best_span(
    heard: list[_Heard], at: int, words: ShopWords
) -> tuple[int, int, tuple[str, ...]] | None:
    """The span around a word, and what it was meant to be; None where nothing is near."""
    best: tuple[float, int, int, tuple[str, ...]] | None = None
    for start in range(max(0, at - LONGEST_SPAN + 1), at + 1):
        for end in range(at + 1, min(len(heard), start + LONGEST_SPAN) + 1):
            spoken = sounds_of("".join(one.word for one in heard[start:end]).replace("'", ""))
            if len(spoken) < FEWEST_SPAN_SOUNDS:
                continue
            for difference, run in _near(spoken, words):
                if run[0] == heard[start].word or run[-1] == heard[end - 1].word:
                    # A shorter span says the same of what changes.
                    continue
                if start and heard[start - 1].word.endswith("'") and run[0][0] not in ELIDED:
                    continue
                context = _context(heard, start, end, run, words)
                # A neighbour that changes as well must earn it; so must a longer leap.
                others = sum(
                    1 for one in heard[start:end] if words.knows(one.word) and one.word not in run
                )
                score = difference + 0.03 * others - 0.04 * min(context, 3)
                if best is None or score < best[0]:
                    best = (score, start, end, run)
    return best[1:] if best is not None else None


def _run_together(
    heard: list[_Heard], at: int, words: ShopWords
) -> tuple[int, int, tuple[str, ...]] | None:
    """One word that is several of the shop's, `samediallion`; None where it is not exactly so."""
    spoken = sounds_of(heard[at].word)
    if len(spoken) < FEWEST_JOINED_SOUNDS:
        return None
    best: tuple[int, tuple[str, ...]] | None = None
    for cut in range(3, len(spoken) - 2):
        for joint in JOINTS:
            key = sounds_of(joint) if joint else ""
            if not spoken.startswith(key, cut):
                continue
            for first in words.by_sounds.get(spoken[:cut], ()):
                for last in words.by_sounds.get(spoken[cut + len(key) :], ()):
                    run = (*first, *([joint] if joint else []), *last)
                    weight = words.counts[first] + words.counts[last]
                    best = max(best or (0, run), (weight, run))
    return (at, at + 1, best[1]) if best is not None else None


def _near(spoken: str, words: ShopWords) -> list[tuple[float, tuple[str, ...]]]:
    """Runs of the shop's words that sound nearly so, with the share of sounds that differ."""
    found = process.extract(
        spoken,
        words.sounds,
        scorer=Levenshtein.normalized_similarity,
        score_cutoff=0.55,
        limit=CANDIDATES,
    )
    near = []
    for key, _, _ in found:
        difference = distance(spoken, key) / max(len(spoken), len(key))
        if difference <= next(most for size, most in LARGEST_DIFFERENCES if len(spoken) < size):
            near += [(difference, run) for run in words.by_sounds[key]]
    return near


def _mend_alike(text: str, words: ShopWords) -> str:
    """Of words that sound alike take the one that the shop's talk has in this place."""
    for at in range(len(_heard(text))):
        heard = _heard(text)
        if heard[at].word.endswith("'"):
            continue
        better = _alike(heard, at, words)
        if better is not None:
            text = _replaced(text, heard[at].start, heard[at].end, (better,), words)
    return text


def _alike(heard: list[_Heard], at: int, words: ShopWords) -> str | None:
    """The word that was meant by one that sounds the same; None where it stands rightly."""
    word = heard[at].word
    runs = [
        run
        for run in words.by_sounds.get(sounds_of(word), ())
        if len(run) == 1 and run[0] != word and not run[0].endswith("'")
    ]
    if not runs:
        return None
    score, best = max((_context(heard, at, at + 1, run, words), run[0]) for run in runs)
    current = _context(heard, at, at + 1, (word,), words)
    is_slight = len(word) <= SHORT_WORD or _INFLECTION.sub("", best) == _INFLECTION.sub("", word)
    if is_slight and not _fits_both_sides(heard, at, best, words):
        return None
    least = CLEAR_INFLECTION if is_slight else CLEAR_LEAD
    return best if score >= least + 2 * current else None


def _fits_both_sides(heard: list[_Heard], at: int, word: str, words: ShopWords) -> bool:
    before = heard[at - 1].word if at else START
    behind = heard[at + 1].word if at + 1 < len(heard) else END
    return (before, word) in words.counts and (word, behind) in words.counts


def _context(
    heard: list[_Heard], start: int, end: int, run: tuple[str, ...], words: ShopWords
) -> int:
    """How often the shop's talk has this run between these neighbours; threes count double."""
    before = [one.word for one in heard[max(0, start - 2) : start]]
    behind = [one.word for one in heard[end : end + 2]]
    before = before if len(before) == 2 else [START, *before]
    behind = behind if len(behind) == 2 else [*behind, END]
    first, last = run[0], run[-1]
    counts = words.counts
    pairs = counts.get((before[-1], first), 0) + counts.get((last, behind[0]), 0)
    threes = 0
    if len(run) == 1:
        threes += counts.get((before[-1], first, behind[0]), 0)
    if len(before) == 2:
        threes += counts.get((before[0], before[1], first), 0)
    if len(behind) == 2:
        threes += counts.get((last, behind[0], behind[1]), 0)
    return pairs + 2 * threes


def _heard(text: str) -> list[_Heard]:
    return [
        _Heard(found[0].lower().replace("’", "'"), found.start(), found.end())
        for found in _WORD.finditer(text)
    ]


def _replaced(text: str, start: int, end: int, run: tuple[str, ...], words: ShopWords) -> str:
    """The text with other words in place of a span; a capital at its beginning stays one."""
    said = " ".join(words.names.get(word, word) for word in run).replace("' ", "'")
    if text[start].isupper():
        said = said[0].upper() + said[1:]
    if text[end : end + 1].isalpha() and not said.endswith("'"):
        said += " "
    return text[:start] + said + text[end:]
