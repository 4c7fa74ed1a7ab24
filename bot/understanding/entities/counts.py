"""How many seats or pieces does a message ask for, and which place of a list does it point at?"""

import re
from collections.abc import Iterable
from functools import cache

from bot.understanding.entities.expressions import alternatives, folded, read_list, words_of
from bot.understanding.entities.text import stem
from bot.understanding.entities.vocabulary import Vocabulary

_MAX_SEATS = 30
_MAX_QUANTITY = 99
_MAX_PLACE = 20
_MAX_MENTIONS = 6
_MULTIPLIED = re.compile(r"(?<![\w.,])(?:x ?(\d{1,2})|(\d{1,2}) ?x)(?![\w.,]\w|\w)(?! ?\d)")
_COUNTED = re.compile(r"(?<![\w#.,/])(\d{1,2}) ([a-z]{3,20})")
_ALONE = re.compile(r"\W*(?:(?:le|la|les|the|el|los|der|die|das|il|lo|de|het|l')? ?)#?(\d{1,2})\W*")


def blank(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Replace spans by spaces, so that what one rule has read is not read again by the next."""
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


@cache
def _seat_patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    section = read_list("expressions")
    words = alternatives(section["seats"])
    before = alternatives(section["seats_before"])
    compounds = alternatives(section["compound_seats"])
    return (
        re.compile(
            r"(?<![\w#.,])(?:(\d{1,2}) ?(?:a|-|ou|/|et|to|or|bis|oder|o|y|of|tot) ?)?"
            rf"(\d{{1,2}}) ?-? ?(?:{words})(?!\w)"
        ),
        re.compile(rf"(?<!\w)(?:{before}) (\d{{1,2}})(?= *(?:$|[?!;]|[.,](?!\d)))"),
        re.compile(rf"(?<!\w)({compounds})\w{{0,4}}(?!\w)"),
    )


def find_seats(text: str) -> tuple[int | None, tuple[tuple[int, int], ...]]:
    """How many people must find room: "6 personnes", "3 places", "seats 4", "Zweisitzer".

    Of "4 à 6 personnes" the larger. Returns the spans read, too.
    """
    counted, pointed, compound = _seat_patterns()
    seats: int | None = None
    spans: list[tuple[int, int]] = []
    for match in counted.finditer(text):
        if 1 <= int(match[2]) <= _MAX_SEATS and len(spans) < _MAX_MENTIONS:
            spans.append(match.span())
            seats = max(int(match[1] or 0), int(match[2])) if seats is None else seats
    named = compound.search(text)
    if named and seats is None:
        seats = int(read_list("expressions")["compound_seats"][named[1]])
    last = pointed.search(text)
    if last and seats is None and 1 <= int(last[1]) <= _MAX_SEATS:
        seats = int(last[1])
        spans.append(last.span(1))
    return seats, tuple(spans)


@cache
def _quantity_words() -> frozenset[str]:
    return frozenset(stem(word) for word in folded(read_list("expressions")["quantities"]))


def find_quantities(text: str, vocabulary: Vocabulary, language: str) -> tuple[int, ...]:
    """Numbers of pieces: "2 chaises", "x3", "deux exemplaires". A lone 1 is an article."""
    found: dict[int, int] = {}
    for match in _MULTIPLIED.finditer(text):
        found[match.start()] = int(match[1] or match[2])
    phrases = vocabulary.phrases[language]
    for match in _COUNTED.finditer(text):
        word = stem(match[2])
        kinds = {kind for kind, _value in phrases.get((word,), ())}
        if int(match[1]) > 1 and ("type" in kinds or word in _quantity_words()):
            found[match.start()] = int(match[1])
    kept = [found[start] for start in sorted(found) if 1 <= found[start] <= _MAX_QUANTITY]
    return tuple(dict.fromkeys(kept))[:_MAX_MENTIONS]


@cache
def _ordinal_patterns(language: str) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    section = read_list("expressions")
    exceptions = alternatives(section["ordinal_exceptions"])
    options = alternatives(word for word in section["option_words"] if word != "#")
    last = alternatives(words_of(section["ordinals"]["last"], language))
    before_last = alternatives(words_of(section["ordinals"]["before_last"], language))
    return (
        re.compile(
            rf"(?<!\w)(?:(?:{options}) ?(?P<option>\d{{1,2}})|#(?P<place>\d{{1,2}}))(?!\w)"
            rf"(?! (?:{exceptions})(?!\w))"
        ),
        re.compile(rf"(?<!\w)(?:{last})(?!\w)(?! (?:{exceptions})(?!\w))"),
        re.compile(rf"(?<!\w)(?:{before_last})(?!\w)"),
    )


def find_ordinals(text: str, language: str) -> tuple[int, ...]:
    """Places in a list: "le deuxième" is 2, "option 3" 3, "le dernier" -1, the one before it -2.

    A message that is a number alone ("2", "le 2") points at that place.
    """
    places, last, before_last = _ordinal_patterns(language)
    found: dict[int, int] = {}
    for match in places.finditer(text):
        found[match.start()] = int(match["option"] or match["place"])
    alone = _ALONE.fullmatch(text)
    if alone:
        found[0] = int(alone[1])
    ended = before_last.search(text)
    if ended:
        found[ended.start()] = -2
    else:
        found.update({match.start(): -1 for match in last.finditer(text)})
    kept = [
        found[start] for start in sorted(found) if -2 <= found[start] <= _MAX_PLACE and found[start]
    ]
    return tuple(dict.fromkeys(kept))[:_MAX_MENTIONS]
