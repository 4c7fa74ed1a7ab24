"""What did the customer mean to type? Text in its ordinary spelling, before it is understood.

The result is for understanding only: what is stored and shown stays as it was typed. Characters
that no reader sees are removed in every language. In French, SMS spelling, missing apostrophes and
accents and one-letter slips are mended: a word of the dictionary or of the shop's own phrases is
never touched, and a correction aims at words that those phrases use.
"""

import gzip
import importlib.resources
import importlib.util
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType

from rapidfuzz.distance import OSA

LEXICON_FOLDER = Path(__file__).parent / "lexicon"
MAX_COMBINING_MARKS = 2
MIN_CORRECTED_LETTERS = 5
MAX_CORRECTED_LETTERS = 24
MIN_NEIGHBOUR_COUNT = 2
KNOWN_PHRASE_COUNT = 4
MIN_DICTIONARY_FREQUENCY = 100
MAX_WORDS = 400
MIN_SHOUTED_WORDS = 2
MIN_ELIDED_LETTERS = 3

_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "＇": "'"})
# All but plain Latin text, quotes, dashes and currency signs, none of which hides anything.
_UNUSUAL = re.compile(
    r"[^\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf]"
)
# Letters of other alphabets that a reader takes for Latin ones (Unicode's table of confusables).
_LOOKALIKES = str.maketrans(
    "аеорсухіјѕһԁԛԝӏАВЕКМНОРСТУХІЈЅԌԚԜαεικνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijshdqwlABEKMHOPCTYXIJSGQWaeikvoptuxABEZHIKMNOPTYX",
)
_OTHER_ALPHABET = re.compile(r"[\u0370-\u052f]")
_LATIN = re.compile(r"[A-Za-zÀ-ɏ]")
_DISGUISED_FORMS = ("<font>", "<wide>", "<circle>", "<square>")
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*|\d+[^\W\d_]+\d*|[^\W\d_]+\d+(?!\w)")
_REPEATED = re.compile(r"([^\W\d_])\1{2,}")
_ELISION = re.compile(r"(qu|[jldcnstm])'?([aeiouyhàâéèêëîïôûœ].*)")
_GLUED = re.compile(r"[^\s]*[@/_][^\s]*|\S*\w-\w*\d\S*|\b[A-ZÀ-Ü0-9]+(?:-[A-ZÀ-Ü0-9]+)+\b")


@dataclass(frozen=True)
class SpellingLexicon:
    """Which words are right as they stand, and which a correction may aim at.

    `known` are the right words of the phrases, `dictionary` those of the language; `counts` says
    how often the phrases use a word; `accented` gives the likeliest spelling of a word typed
    without accents; `by_length` holds the words that a slip may be mended to.
    """

    known: frozenset[str] = frozenset()
    dictionary: frozenset[str] = frozenset()
    counts: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    accented: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    by_length: Mapping[int, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))


def remove_invisible(text: str) -> str:
    """Return the text in NFC without the characters that a reader does not see.

    Control, format (zero-width, bidi, tag), private and unassigned characters go; runs of
    combining marks are cut to `MAX_COMBINING_MARKS`; every kind of space becomes a space. Letters
    in disguise (`𝓫𝓸𝓷𝓳𝓸𝓾𝓻`, or Cyrillic ones among Latin ones) become the letters that are read.
    """
    if _UNUSUAL.search(text) is None:
        return " ".join(text.translate(_APOSTROPHES).split())
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        marks = marks + 1 if category.startswith("M") else 0
        if character in "\t\n\r" or category.startswith("Z"):
            kept.append(" ")
        elif not category.startswith("C") and marks <= MAX_COMBINING_MARKS:
            if not "\ufe00" <= character <= "\ufe0f":
                kept.append(_undisguised(character))
    return " ".join(_as_read("".join(kept).translate(_APOSTROPHES).split()))


def _undisguised(character: str) -> str:
    """A letter or digit in a fancy form as the plain one; anything else as it is."""
    if unicodedata.decomposition(character).startswith(_DISGUISED_FORMS):
        return unicodedata.normalize("NFKC", character)
    return character


def _as_read(words: Sequence[str]) -> list[str]:
    """The words with lookalikes of Latin letters replaced where they stand among Latin letters."""
    text = " ".join(words)
    if _OTHER_ALPHABET.search(text) is None:
        return list(words)
    if _disguised(text):
        return text.translate(_LOOKALIKES).split(" ")
    return [word.translate(_LOOKALIKES) if _disguised(word) else word for word in words]


def _disguised(text: str) -> bool:
    """Whether a text has Latin letters, and no letter of another alphabet that looks like none."""
    read = text.translate(_LOOKALIKES)
    return _LATIN.search(text) is not None and _OTHER_ALPHABET.search(read) is None


def build_lexicon(phrases: Iterable[str], known_words: Iterable[str] = ()) -> SpellingLexicon:
    """Learn the words of French phrases; `known_words` (product names, places) are never mended.

    A word of the phrases that no dictionary has is trusted once it occurs `KNOWN_PHRASE_COUNT`
    times: the phrases are spelled as customers spell.
    """
    dictionary, dictionary_accents = _dictionary()
    accented = dict(dictionary_accents)
    counts: Counter[str] = Counter()
    for phrase in phrases:
        for word in _WORD.findall(remove_invisible(phrase).lower()):
            counts.update(_parts(word))
    names = {part for word in known_words for part in _parts(word.lower())}
    trusted = names | {
        word
        for word, count in counts.items()
        if word in dictionary
        or (count >= KNOWN_PHRASE_COUNT and word not in accented)
        or not dictionary
    }
    trusted -= _abbreviations().keys()
    for word in sorted(trusted, key=lambda word: (counts[word], word)):
        accented[_without_accents(word)] = word
    by_length: dict[int, list[str]] = {}
    for word in trusted:
        if counts[word] >= MIN_NEIGHBOUR_COUNT or word in names:
            by_length.setdefault(len(word), []).append(word)
    return SpellingLexicon(
        known=frozenset(trusted),
        dictionary=dictionary,
        counts=counts,
        accented=accented,
        by_length={length: tuple(words) for length, words in by_length.items()},
    )


def load_lexicon(folders: Sequence[Path], known_words: Iterable[str] = ()) -> SpellingLexicon:
    """Build the lexicon from the French phrase files of `<folder>/fr/*.txt`."""
    lines: list[str] = []
    for folder in folders:
        for path in sorted((folder / "fr").glob("*.txt")):
            lines += path.read_text("utf-8").splitlines()
    return build_lexicon((line for line in lines if not line.startswith("#")), known_words)


def _never(word: str) -> bool:
    return False


def normalise(
    text: str,
    language: str,
    lexicon: SpellingLexicon,
    is_right: Callable[[str], bool] = _never,
) -> str:
    """Return the text as the customer meant it: cleaned, and mended where it is French.

    Sku, addresses and numbers are left as they are; a word that is known, or that has no single
    likely reading, is kept. `is_right` knows more words that are no slip of another: those of the
    shop's documents.
    """
    visible = _lower_shouting(remove_invisible(text))
    if language != "fr":
        return visible
    pieces: list[str] = []
    end = 0
    protected = [match.span() for match in _GLUED.finditer(visible)]
    for number, match in enumerate(_WORD.finditer(visible)):
        if number >= MAX_WORDS:
            break
        start = match.start()
        if any(first <= start < last for first, last in protected):
            continue
        pieces += (visible[end:start], _mend(match.group(), lexicon, is_right, start == 0))
        end = match.end()
    return "".join(pieces) + visible[end:]


def _lower_shouting(text: str) -> str:
    """Lower a text written in capitals: encoders read them badly; sku keep theirs."""
    words = [word for word in text.split() if not _GLUED.fullmatch(word)]
    letters = "".join(words)
    if len(words) < MIN_SHOUTED_WORDS or not letters.isupper():
        return text
    return " ".join(word if _GLUED.fullmatch(word) else word.lower() for word in text.split())


def _mend(
    word: str, lexicon: SpellingLexicon, is_right: Callable[[str], bool], is_first: bool
) -> str:
    """Return the likely reading of one word, in its own case; a name keeps its letters."""
    is_name = word[0].isupper() and word[1:].islower() and not is_first
    lower = _REPEATED.sub(r"\1", word.lower())
    meant = _abbreviations().get(lower) or _mend_lower(lower, lexicon, is_right, is_name)
    if meant == word.lower():
        return word
    return meant.capitalize() if word[0].isupper() and not word.isupper() else meant


def _mend_lower(
    word: str, lexicon: SpellingLexicon, is_right: Callable[[str], bool], is_name: bool
) -> str:
    if word in lexicon.known or word in lexicon.dictionary:
        return word
    for joint in ("-", "'"):
        if joint in word:
            parts = word.split(joint)
            return joint.join(_mend_lower(part, lexicon, is_right, is_name) for part in parts)
    accented = lexicon.accented.get(_without_accents(word))
    if accented or is_name or is_right(word):
        return accented or word
    return _elided(word, lexicon) or _nearest(word, lexicon)


def _elided(word: str, lexicon: SpellingLexicon) -> str | None:
    """Read "larmoire" as "l'armoire" where the rest is a known word."""
    elided = _ELISION.fullmatch(word)
    if elided is None or len(elided[2]) < MIN_ELIDED_LETTERS:
        return None
    tail = lexicon.accented.get(_without_accents(elided[2]), elided[2])
    is_word = tail in lexicon.known or tail in lexicon.dictionary
    return f"{elided[1]}'{tail}" if is_word else None


def _nearest(word: str, lexicon: SpellingLexicon) -> str:
    """Return the most used word one slip away (a letter more, less, other, or two swapped)."""
    if not MIN_CORRECTED_LETTERS <= len(word) <= MAX_CORRECTED_LETTERS:
        return word
    best, best_count = word, 0
    for length in (len(word) - 1, len(word), len(word) + 1):
        for candidate in lexicon.by_length.get(length, ()):
            count = lexicon.counts[candidate]
            if count > best_count and OSA.distance(word, candidate, score_cutoff=1) <= 1:
                best, best_count = candidate, count
    return best


@cache
def _dictionary() -> tuple[frozenset[str], Mapping[str, str]]:
    """Read the French dictionary: its words, and the accents that a bare word most likely lacks.

    Empty where the package that carries it is not installed. Its file is read as it is: the
    package's own reader takes three times as long, for figures that nobody asks for here.
    """
    if importlib.util.find_spec("spellchecker") is None:
        return frozenset(), MappingProxyType({})
    packed = importlib.resources.files("spellchecker") / "resources" / "fr.json.gz"
    frequencies: dict[str, int] = json.loads(gzip.decompress(packed.read_bytes()))
    accents: dict[str, str] = {}
    for word, frequency in frequencies.items():
        if frequency < MIN_DICTIONARY_FREQUENCY or word.isascii():
            continue
        bare = _without_accents(word)
        if bare == word or bare in frequencies:
            continue
        if frequency > frequencies.get(accents.get(bare, ""), 0):
            accents[bare] = word
    return frozenset(frequencies), MappingProxyType(accents)


def _parts(word: str) -> list[str]:
    return [part for part in re.split(r"['-]", word) if len(part) > 1]


@cache
def _abbreviations() -> Mapping[str, str]:
    """Read the SMS lexicon: what is typed, and what it stands for."""
    lines = (LEXICON_FOLDER / "sms.fr.txt").read_text("utf-8").splitlines()
    pairs = (line.split(" = ", 1) for line in lines if " = " in line and not line.startswith("#"))
    return MappingProxyType({typed: meant for typed, meant in pairs})


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    decomposed = unicodedata.normalize("NFD", word)
    return "".join(letter for letter in decomposed if unicodedata.category(letter) != "Mn").replace(
        "œ", "oe"
    )
