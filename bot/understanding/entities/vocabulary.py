"""Which names does a shop use? Products, ranges, stores and the closed lists, indexed once."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.understanding.entities.expressions import LANGUAGES, languages_of, read_list
from bot.understanding.entities.numerals import spell_digits
from bot.understanding.entities.text import clean, fold, stem, tokenize

Tokens = tuple[str, ...]

_CLOSED_LISTS = {
    "type": "types",
    "category": "categories",
    "colour": "colours",
    "material": "materials",
}
_PHRASE_KINDS = frozenset({*_CLOSED_LISTS, "store"})
_NAME_FILLERS = frozenset(
    {
        "de",
        "du",
        "d",
        "en",
        "a",
        "et",
        "cm",
        "x",
        "le",
        "la",
        "les",
        "l",
        "the",
        "of",
        "with",
        "avec",
        "place",
        "1",
    }
)


@dataclass(frozen=True)
class VocabularyEntry:
    """A canonical value and the forms that name it.

    `kind`: product (`value` is the sku, the first form its name), sku (forms: its spellings), range
    (`value` is a sku, form its range), category, type, colour, material, store. `language` limits
    the forms to messages of that language; empty means any.
    """

    kind: str
    value: str
    forms: tuple[str, ...]
    language: str = ""


@dataclass(frozen=True)
class Product:
    """A product's name in stems: every word, and those that tell its range apart."""

    sku: str
    name: str
    words: frozenset[str]
    distinctive: frozenset[str]


@dataclass(frozen=True)
class Vocabulary:
    """All names folded and indexed; made by `build_vocabulary`, read by `extract_entities`."""

    phrases: Mapping[str, Mapping[Tokens, tuple[tuple[str, str], ...]]]
    """By language: words of a form, to the kinds and values that it names."""
    near: Mapping[str, Mapping[str, tuple[str, ...]]]
    """By language and first letter: single words that a typo may stand for."""
    known: Mapping[str, frozenset[str]]
    """By language: every stem of a form or range; none of them is a typo."""
    everyday: Mapping[str, frozenset[str]]
    """By language: stems that are never taken for a typo."""
    products: Mapping[str, Product]
    names: Mapping[Tokens, tuple[str, ...]]
    """Words of a full product name or sku, to the skus."""
    by_word: Mapping[str, tuple[str, ...]]
    """A distinctive word, to the skus of its range."""
    weights: Mapping[str, float]
    """How rare each word of the product names is."""
    name_words: Mapping[str, tuple[str, ...]]
    """By first letter: distinctive words, for typos."""
    longest: Mapping[str, int]
    """A form's first word, to the words of the longest form that begins with it."""


def stems(text: str, language: str = "fr") -> Tokens:
    """Stems of a form, its numbers in digits: the key under which it is indexed."""
    words = tokenize(spell_digits(clean(text), language))
    return tuple(stem(word) for word in words if word[0].isalnum())


def closed_entries() -> list[VocabularyEntry]:
    """Entries of the closed lists in `bot/understanding/vocabulary`, in six languages."""
    return [
        VocabularyEntry(kind, str(value), tuple(str(form) for form in forms), language)
        for kind, name in _CLOSED_LISTS.items()
        for value, by_language in read_list(name).items()
        for language, forms in by_language.items()
    ]


def catalogue_entries(
    products: Iterable[Mapping[str, Any]], stores: Iterable[Mapping[str, Any]] = ()
) -> list[VocabularyEntry]:
    """Entries of a shop's own products and stores.

    Products: mappings with sku, name and optionally name_en, range, type, category, colours,
    materials. Stores: mappings with name and optionally city and code; the name is the value.
    """
    entries: dict[tuple[str, str, tuple[str, ...]], VocabularyEntry] = {}
    for product in products:
        sku = str(product["sku"])
        names = tuple(str(product[key]) for key in ("name", "name_en") if product.get(key))
        found = [VocabularyEntry("product", sku, names), VocabularyEntry("sku", sku, (sku,))]
        if product.get("range"):
            found.append(VocabularyEntry("range", sku, (str(product["range"]),)))
        for kind, key in (("colour", "colours"), ("material", "materials")):
            found += [
                VocabularyEntry(kind, str(v), (str(v),), "fr") for v in product.get(key) or ()
            ]
        for kind in ("type", "category"):
            if product.get(kind):
                value = str(product[kind])
                found.append(VocabularyEntry(kind, value, (value,), "fr"))
        entries.update({(entry.kind, entry.value, entry.forms): entry for entry in found})
    result = list(entries.values())
    for store in stores:
        forms = tuple(str(store[key]) for key in ("name", "city", "code") if store.get(key))
        result.append(VocabularyEntry("store", forms[0], forms))
    return result


def build_vocabulary(entries: Iterable[VocabularyEntry]) -> Vocabulary:
    """Index entries once at start; of two entries of one kind with the same form the later wins.

    Cost: about 150 ms of CPU for the closed lists and 140 products. Raises ValueError for an
    unknown kind.
    """
    listed = list(entries)
    unknown = {entry.kind for entry in listed} - _PHRASE_KINDS - {"product", "sku", "range"}
    if unknown:
        raise ValueError(f"unknown vocabulary kinds: {', '.join(sorted(unknown))}")
    phrases = {language: _phrases(listed, language) for language in LANGUAGES}
    products = _products(listed, phrases["fr"])
    names = _names(listed, products)
    by_word: dict[str, list[str]] = defaultdict(list)
    for product in products.values():
        for word in product.distinctive:
            by_word[word].append(product.sku)
    counts = Counter(word for product in products.values() for word in product.words)
    total = max(1, len(products))
    keys = [*names, *(key for index in phrases.values() for key in index)]
    return Vocabulary(
        phrases=phrases,
        near={language: _near(listed, language) for language in LANGUAGES},
        known={
            language: frozenset(word for key in index for word in key) | counts.keys()
            for language, index in phrases.items()
        },
        everyday={language: _everyday(language) for language in LANGUAGES},
        products=products,
        names=names,
        by_word={word: tuple(skus) for word, skus in by_word.items()},
        weights={word: 0.2 + math.log(1 + total / count) for word, count in counts.items()},
        name_words=_by_first_letter(by_word),
        longest=_longest(keys),
    )


def _longest(keys: Iterable[Tokens]) -> dict[str, int]:
    longest: dict[str, int] = {}
    for key in keys:
        longest[key[0]] = max(len(key), longest.get(key[0], 0))
    return longest


def shop_vocabulary(
    products: Iterable[Mapping[str, Any]], stores: Iterable[Mapping[str, Any]] = ()
) -> Vocabulary:
    """The closed lists and a shop's catalogue, the catalogue's own words winning."""
    return build_vocabulary([*closed_entries(), *catalogue_entries(products, stores)])


def _phrases(
    entries: Sequence[VocabularyEntry], language: str
) -> dict[Tokens, tuple[tuple[str, str], ...]]:
    """Forms that serve messages in `language`; its own lists win over the French ones."""
    by_key: dict[Tokens, dict[str, str]] = defaultdict(dict)
    for code in ("", *languages_of(language)):
        for entry in entries:
            if entry.kind in _PHRASE_KINDS and entry.language == code:
                for form in entry.forms:
                    if key := stems(form, code or language):
                        by_key[key][entry.kind] = entry.value
    return {key: tuple(values.items()) for key, values in by_key.items()}


def _near(entries: Sequence[VocabularyEntry], language: str) -> dict[str, tuple[str, ...]]:
    """Single-word forms of the language itself: a typo is never corrected into a foreign word."""
    keys = (
        stems(form, language)
        for entry in entries
        if entry.kind in _PHRASE_KINDS and entry.language in ("", language)
        for form in entry.forms
    )
    return _by_first_letter({key[0] for key in keys if len(key) == 1})


def _by_first_letter(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for word in sorted(words):
        if len(word) >= 4 and word.isalpha():
            groups[word[0]].append(word)
    return {letter: tuple(group) for letter, group in groups.items()}


def _everyday(language: str) -> frozenset[str]:
    lists = read_list("everyday_words")
    return frozenset(
        stem(fold(str(word))) for code in languages_of(language) for word in lists.get(code, ())
    )


def _products(
    entries: Sequence[VocabularyEntry], phrases: Mapping[Tokens, object]
) -> dict[str, Product]:
    ranges = {entry.value: stems(entry.forms[0]) for entry in entries if entry.kind == "range"}
    common = {word for key in phrases for word in key} | _NAME_FILLERS
    products: dict[str, Product] = {}
    for entry in entries:
        if entry.kind == "product" and entry.forms:
            words = stems(entry.forms[0])
            own = ranges.get(entry.value) or tuple(
                word for word in words if word not in common and word.isalpha() and len(word) > 2
            )
            products[entry.value] = Product(
                entry.value,
                entry.forms[0],
                frozenset(words) - _NAME_FILLERS | frozenset(own),
                frozenset(own),
            )
    return products


def _names(
    entries: Sequence[VocabularyEntry], products: Mapping[str, Product]
) -> dict[Tokens, tuple[str, ...]]:
    names: dict[Tokens, list[str]] = defaultdict(list)
    for entry in entries:
        if entry.kind in ("product", "sku") and entry.value in products:
            for form in entry.forms:
                key = stems(form)
                if len(key) > 1 or entry.kind == "sku":
                    names[key].append(entry.value)
    return {key: tuple(dict.fromkeys(skus)) for key, skus in names.items() if key}
