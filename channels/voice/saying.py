"""How a reply that is written for the eye is told to the ear: short, without addresses or lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from bot.phrasing import phrase as written_phrase
from knowledge.passages import sentences

FILE = Path(__file__).with_name("phrases.yaml")
# Nobody keeps more than this in mind.
ITEMS_SAID = 3
# The first words come sooner where a long sentence is made in two parts.
LONG_SENTENCE_CHARACTERS = 140

_ADDRESS = re.compile(r"https?://[^\s)>\]]+")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_MARKUP = re.compile(r"\*\*|__|`|^#{1,6}\s+", re.MULTILINE)
_ITEM = re.compile(r"^\s*(?:[-*•–]|\d{1,2}[.)])\s+")
_PICTURES = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f]")
_CLAUSE = re.compile(r"[,;:]\s+")


@cache
def _phrases() -> dict[str, dict[str, str]]:
    with FILE.open(encoding="utf-8") as file:
        read: dict[str, dict[str, str]] = yaml.safe_load(file)
    return read


def call_phrase(language: str, key: str, **values: Any) -> str:
    """A phrase of calls (phrases.yaml), in French for a language that has none."""
    phrases = _phrases().get(language, _phrases()["fr"])
    return phrases[key].format(**values)


@dataclass
class Telling:
    """One reply on its way to the ear; it remembers what was said of a list."""

    language: str
    shop: str
    items: int = 0

    def tell(self, text: str) -> Iterator[str]:
        """The sentences to say for a piece of the reply, none where the ear needs nothing of it."""
        if text == written_phrase(self.language, "welcome", shop=self.shop):
            # The announcement has said who speaks.
            return
        for line in text.splitlines():
            if _ITEM.match(line):
                yield from self._item(_ITEM.sub("", line))
            else:
                yield from _sentences(line)

    def _item(self, line: str) -> Iterator[str]:
        self.items += 1
        if self.items <= ITEMS_SAID:
            yield from _sentences(line)
        elif self.items == ITEMS_SAID + 1:
            yield call_phrase(self.language, "more_items")


def _sentences(line: str) -> Iterator[str]:
    plain = " ".join(_plain(line).split())
    for span in sentences(plain):
        yield from _parts(plain[span.start : span.end])


def _plain(line: str) -> str:
    named = _LINK.sub(r"\1", line)
    hosts = _ADDRESS.sub(lambda found: urlsplit(found[0]).hostname or "", named)
    return _PICTURES.sub("", _MARKUP.sub("", hosts))


def _parts(sentence: str) -> Iterator[str]:
    """A long sentence in two parts, cut where one breathes."""
    if len(sentence) > LONG_SENTENCE_CHARACTERS:
        for cut in _CLAUSE.finditer(sentence, LONG_SENTENCE_CHARACTERS // 3):
            if cut.end() < len(sentence) - LONG_SENTENCE_CHARACTERS // 4:
                yield sentence[: cut.start() + 1]
                yield sentence[cut.end() :]
                return
    yield sentence
