"""Whether the six files of phrases say the same things, and can be filled."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from string import Formatter
from typing import Any
from unicodedata import is_normalized

import pytest
import yaml

from bot.phrasing import FOLDER, LANGUAGES, catalogue, phrase, phrases

REFERENCE = "fr"
TRANSLATIONS = tuple(language for language in LANGUAGES if language != REFERENCE)
Path = tuple[str, ...]


class UniqueKeyLoader(yaml.SafeLoader):
    """Refuses a key that stands twice in a mapping: the second would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise ValueError(f"twice in one mapping: {sorted(twice)}{node.start_mark}")
        return super().construct_mapping(node, deep)


def leaves(found: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every phrase or list of phrases with the keys that lead to it."""
    if isinstance(found, dict):
        for key, below in found.items():
            yield from leaves(below, (*path, key))
    else:
        yield path, found


def spoken(language: str) -> Iterator[tuple[Path, int, str]]:
    """Every single phrase with its place; a phrase that stands alone is the first variant."""
    for path, found in leaves(catalogue(language)):
        for turn, text in enumerate(found if isinstance(found, list) else [found]):
            yield path, turn, text


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def shape(language: str) -> dict[Path, int | None]:
    """How many variants stand under each key; None for a phrase that stands alone."""
    return {
        path: len(found) if isinstance(found, list) else None
        for path, found in leaves(catalogue(language))
    }


def test_that_every_language_has_a_file_and_no_other() -> None:
    assert {file.stem for file in FOLDER.glob("*.yaml")} == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_that_no_key_stands_twice(language: str) -> None:
    text = (FOLDER / f"{language}.yaml").read_text(encoding="utf-8")
    assert is_normalized("NFC", text)
    assert yaml.load(text, UniqueKeyLoader) == catalogue(language)  # noqa: S506  a safe loader


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_that_a_translation_has_the_same_keys_and_list_lengths(language: str) -> None:
    translated, reference = shape(language), shape(REFERENCE)
    assert set(translated) - set(reference) == set()
    assert set(reference) - set(translated) == set()
    assert translated == reference


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_that_a_translation_has_the_same_placeholders(language: str) -> None:
    reference = {(path, turn): placeholders(text) for path, turn, text in spoken(REFERENCE)}
    translated = {(path, turn): placeholders(text) for path, turn, text in spoken(language)}
    assert translated == reference


@pytest.mark.parametrize("language", LANGUAGES)
def test_that_no_phrase_is_empty(language: str) -> None:
    for path, found in leaves(catalogue(language)):
        assert found, path
    for path, turn, text in spoken(language):
        assert isinstance(text, str), (path, turn)
        assert text.strip(), (path, turn)
        assert text == text.strip(), (path, turn)


@pytest.mark.parametrize("language", LANGUAGES)
def test_that_every_phrase_is_filled(language: str) -> None:
    for path, turn, text in spoken(language):
        # The shop's name is given with every phrase, whether it is in it or not.
        values = {name: f"<{name}>" for name in {"shop", *placeholders(text)}}
        filled = phrase(language, ".".join(path), turn, **values)
        assert "{" not in filled, path
        assert "}" not in filled, path
        for name in placeholders(text):
            assert f"<{name}>" in filled, (path, turn)


@pytest.mark.parametrize("language", LANGUAGES)
def test_that_variants_are_taken_in_turn(language: str) -> None:
    variants = phrases(language, "greeting")
    assert len(variants) > 1
    taken = [phrase(language, "greeting", turn) for turn in range(2 * len(variants))]
    assert taken == [*variants, *variants]


@pytest.mark.parametrize("language", LANGUAGES)
def test_that_a_list_is_read_whole_and_an_unknown_one_is_empty(language: str) -> None:
    assert len(phrases(language, "suggestions.confirm")) == 3
    assert phrases(language, "suggestions.unheard_of") == ()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr", "assistant virtuel"),
        ("en", "virtual assistant"),
        ("es", "asistente virtual"),
        ("de", "virtuelle Assistent"),
        ("it", "assistente virtuale"),
        ("nl", "virtuele assistent"),
    ],
)
def test_that_the_welcome_says_that_a_machine_speaks(language: str, words: str) -> None:
    welcome = phrase(language, "welcome", shop="Meuble de France")
    assert words in welcome
    assert "Meuble de France" in welcome
