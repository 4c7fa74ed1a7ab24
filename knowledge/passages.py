"""How is a document cut into passages and sentences, with exact offsets into its text?

Offsets count characters: `text[span.start:span.end]` is the sentence, `text[start:end]` the
passage. A sentence is never cut by a passage.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

TARGET_CHARACTERS = 420
MAXIMUM_CHARACTERS = 700
MAXIMUM_SENTENCE_CHARACTERS = 1_000

# Words whose final dot ends no sentence, in the languages of the shop's documents.
_ABBREVIATIONS = frozenset(
    "m mm mme mlle mr mrs ms dr pr me st ste p pp ex art al cf env fig n no nos vol chap réf ref "
    "tél tel av bd max min approx inc ltd vs etc resp éd ed sté dept z.b bzw ca nr abs usw sr sra "
    "dott sig ing prof avv jan janv fév févr avr juil sept oct nov déc".split()
)
_BLOCK = re.compile(r"[^\n]+")
_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?:[ \u00a0\u202f]?»)?(?=\s)")
_LAST_WORD = re.compile(r"[^\s(«\"“'’]+$")
_HEADING = re.compile(r"(#{1,6})\s+(\S.*)")
_BULLET = re.compile(r"(?:[-*•–]|\d{1,3}[.)])\s+")
_SPACES = " \t\r\u00a0\u202f\u2009"


@dataclass(frozen=True)
class Span:
    """A stretch of a text: `text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True)
class Passage:
    """A few sentences that stand together, under the headings that they were found below."""

    position: int
    start: int
    end: int
    heading: str
    text: str


def sentences(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Return the sentences of a text in order, without the blanks around them.

    A line ends a sentence (a heading's line is one); so does `.`, `!`, `?` or `…` before a blank,
    unless it belongs to an abbreviation ("M.", "p. ex."), an initial, a list number ("2."), or is
    followed by a small letter. Prices, article numbers and addresses stay whole. A line of more
    than `MAXIMUM_SENTENCE_CHARACTERS` without an end is cut at a blank.
    """
    found: list[Span] = []
    for block in _BLOCK.finditer(text, start, len(text) if end is None else end):
        if _HEADING.match(block.group().strip()):
            spans = _stripped(text, block.start(), block.end())
        else:
            spans = _sentences_of_line(text, block.start(), block.end())
        for span in spans:
            found.extend(_bounded(text, span))
    return found


@lru_cache(maxsize=2_048)
def sentences_of_passage(text: str) -> tuple[Span, ...]:
    """The same of a document's passage, which is asked about again and again."""
    return tuple(sentences(text))


def _sentences_of_line(text: str, start: int, end: int) -> list[Span]:
    found: list[Span] = []
    begin = start
    for match in _END.finditer(text, start, end):
        if _ends_sentence(text, begin, match, end):
            found.extend(_stripped(text, begin, match.end()))
            begin = match.end()
    found.extend(_stripped(text, begin, end))
    return found


def _ends_sentence(text: str, begin: int, match: re.Match[str], end: int) -> bool:
    position = match.end()
    while position < end and text[position] in _SPACES:
        position += 1
    following = text[position] if position < end else ""
    if following.islower():
        return False
    if match.group()[0] != "." or match.group().startswith(".."):
        return True
    last = _LAST_WORD.search(text, max(begin, match.start() - 40), match.start())
    if last is None:
        return True
    word = last.group().lower().strip(".-•*")
    if word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha()):
        return False
    return not (word.isdigit() and not text[begin : last.start()].strip(_SPACES + "-•*"))


def _stripped(text: str, start: int, end: int) -> list[Span]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return [Span(start, end)] if end > start else []


def _bounded(text: str, span: Span) -> list[Span]:
    """Cut what no punctuation ends (a table in one line, a pasted log) at blanks."""
    parts: list[Span] = []
    start = span.start
    while span.end - start > MAXIMUM_SENTENCE_CHARACTERS:
        limit = start + MAXIMUM_SENTENCE_CHARACTERS
        blank = text.rfind(" ", start + 1, limit)
        cut = blank if blank > start else limit
        parts.extend(_stripped(text, start, cut))
        start = cut
    parts.extend(_stripped(text, start, span.end))
    return parts


def heading_of(line: str) -> tuple[int, str] | None:
    """The level (1 to 6) and words of a Markdown heading, None for any other line."""
    match = _HEADING.fullmatch(line.strip())
    return (len(match.group(1)), match.group(2).strip(" #")) if match else None


def split_passages(text: str) -> list[Passage]:
    """Cut a text into passages of about 350 to 700 characters that never cut a sentence.

    Headings (Markdown `#` lines) are not part of a passage: they end it, and the ones above it
    are its `heading`, joined by " › ". A longer sentence is a passage of its own.
    """
    found: list[Passage] = []
    headings: list[tuple[int, str]] = []
    group: list[Span] = []
    for span in sentences(text):
        heading = heading_of(text[span.start : span.end])
        if heading is not None:
            _close(text, group, headings, found)
            headings = [one for one in headings if one[0] < heading[0]] + [heading]
        else:
            if group and _is_full(text, group, span):
                _close(text, group, headings, found)
            group.append(span)
    _close(text, group, headings, found)
    return found or _headings_alone(text)


def _headings_alone(text: str) -> list[Passage]:
    """A text of nothing but headings: each is a passage, or nothing could be found or quoted."""
    return [
        Passage(position, span.start, span.end, "", text[span.start : span.end])
        for position, span in enumerate(sentences(text))
    ]


def _is_full(text: str, group: list[Span], following: Span) -> bool:
    """Whether a passage should end before the following sentence.

    A line that announces a list (":") keeps its first item; a new paragraph ends a passage
    earlier than a new sentence does.
    """
    length = group[-1].end - group[0].start
    joined = following.end - group[0].start
    if joined > MAXIMUM_CHARACTERS:
        return True
    if text[group[-1].end - 1] == ":":
        return False
    between = text[group[-1].end : following.start]
    new_paragraph = between.count("\n") > 1
    return length >= TARGET_CHARACTERS or (new_paragraph and joined > TARGET_CHARACTERS * 1.25)


def _close(
    text: str, group: list[Span], headings: list[tuple[int, str]], found: list[Passage]
) -> None:
    if group:
        start, end = group[0].start, group[-1].end
        heading = " › ".join(words for _, words in headings)[:300]
        found.append(Passage(len(found), start, end, heading, text[start:end]))
        group.clear()


def without_bullet(text: str, span: Span) -> Span:
    """The span without the bullet or list number that it starts with."""
    match = _BULLET.match(text, span.start, span.end)
    return Span(match.end(), span.end) if match and match.end() < span.end else span
