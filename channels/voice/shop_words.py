"""Which words does a shop's talk use, how do they sound, and what stands beside them?

Read from the phrases that the intents were taught with and from the catalogue; made once for each
state of the catalogue.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.understanding.entities.vocabulary import catalogue_entries, closed_entries
from bot.understanding.spelling import SpellingLexicon, load_lexicon
from bot.understanding.understand import PHRASES
from channels.voice.phonetics import sounds_of
from core.database import Transaction
from core.runtime import Runtime
from services.catalogue.products import list_products
from services.catalogue.stores import list_stores

LONGEST_TERM_WORDS = 3
FEWEST_SOUNDS = 1
# A run of words that was met less often is no more likely than any other.
FEWEST_COUNT = 3
START = "<"
END = ">"
_TOKEN = re.compile(r"[^\W\d_]+'|[^\W\d_]+(?:-[^\W\d_]+)*|\d+")


@dataclass(frozen=True)
class ShopWords:
    """Runs of up to three words by their sounds, how often each occurs, and the dictionary.

    `names` holds the words that are always written with a capital, by their lower case.
    """

    counts: Mapping[tuple[str, ...], int]
    by_sounds: Mapping[str, tuple[tuple[str, ...], ...]]
    sounds: Sequence[str]
    lexicon: SpellingLexicon
    names: Mapping[str, str]

    def knows(self, word: str) -> bool:
        """Whether a word is French, or the shop's own."""
        bare = word.rstrip("'")
        return (
            (not bare.isalpha() and "-" not in bare)
            or len(bare) < 2
            or (word,) in self.counts
            or bare in self.lexicon.dictionary
            or bare in self.lexicon.known
            or all(part in self.lexicon.dictionary for part in bare.split("-") if len(part) > 1)
        )


def words_of(text: str) -> list[str]:
    """Lower-case words; an article that lost its vowel is a word of its own, `l'`."""
    return _TOKEN.findall(text.lower().replace("’", "'"))


async def read_shop_words(runtime: Runtime, transaction: Transaction) -> ShopWords:
    """Read a shop's words; costs a few tenths of a second of CPU: call it rarely."""
    products = [{**asdict(item), "name_en": ""} for item in await list_products(transaction)]
    stores = [asdict(item) for item in await list_stores(transaction)]
    forms = [
        form
        for entry in (*closed_entries(), *catalogue_entries(products, stores))
        if entry.language in ("", "fr") and entry.kind != "sku"
        for form in entry.forms
    ]
    folders = [PHRASES, runtime.settings.phrase_folder]
    return await asyncio.to_thread(
        build_shop_words, forms, list(phrases_of(folders)), load_lexicon(folders)
    )


def build_shop_words(
    forms: Sequence[str], phrases: Iterable[str], lexicon: SpellingLexicon
) -> ShopWords:
    """Index the runs of words in names and phrases."""
    counts: Counter[tuple[str, ...]] = Counter()
    named: set[tuple[str, ...]] = set()
    for form in forms:
        words = words_of(form)
        named |= set(_runs(words))
        counts.update(_runs(words))
    for phrase in phrases:
        words = words_of(phrase)
        # Misspelt phrases teach the intents, not the ear.
        if all(_is_spelt_well(word, lexicon) or (word,) in named for word in words):
            counts.update(_runs([START, *words, END]))
    by_sounds: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for run in counts:
        if START in run or END in run or (counts[run] < FEWEST_COUNT and run not in named):
            continue
        key = sounds_of("".join(run).replace("'", ""))
        if len(key) >= FEWEST_SOUNDS:
            by_sounds[key].append(run)
    return ShopWords(
        counts=counts,
        by_sounds={key: tuple(runs) for key, runs in by_sounds.items()},
        sounds=tuple(by_sounds),
        lexicon=lexicon,
        names=_names(forms),
    )


def _names(forms: Iterable[str]) -> Mapping[str, str]:
    """Words of the catalogue that are written with a capital wherever they stand."""
    written = {word for form in forms for word in re.findall(r"[^\W\d_]{2,}", form)}
    return {
        word.lower(): word
        for word in sorted(written)
        if word[0].isupper() and word.lower() not in written
    }


def _is_spelt_well(word: str, lexicon: SpellingLexicon) -> bool:
    return len(word) < 2 or word[-1] == "'" or word in lexicon.known or word in lexicon.dictionary


def _runs(words: Sequence[str]) -> Iterable[tuple[str, ...]]:
    for size in range(1, LONGEST_TERM_WORDS + 1):
        for start in range(len(words) - size + 1):
            yield tuple(words[start : start + size])


def phrases_of(folders: Iterable[Path]) -> Iterable[str]:
    """The French phrases of `<folder>/fr/*.txt`."""
    for folder in folders:
        for path in sorted((folder / "fr").glob("*.txt")):
            for line in path.read_text("utf-8").splitlines():
                if line and not line.startswith("#"):
                    yield line
