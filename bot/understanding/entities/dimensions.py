"""Which sizes does a message mention, along which axis and within which bound?"""

import re
from dataclasses import dataclass
from functools import cache

from bot.understanding.entities.expressions import (
    bound_after,
    bound_before,
    folded,
    languages_of,
    read_list,
)

_MAX_MENTIONS = 12
_CM_PER_UNIT = {"mm": 0.1, "cm": 1.0, "m": 100.0}
_UNITS = (
    r"(?P<unit>mm|cm|m|millimetres?|centimetres?|metres?|meters?|centimeters?|zentimeter|metros?|"
    r"centimetros?|metri|metro|centimetri|centimetro)(?![\w/])"
)
_SINGLE = re.compile(
    rf"(?<![\w#.,])(?P<number>\d{{1,4}}(?:[.,]\d{{1,3}})?) ?{_UNITS}"
    r"(?: (?P<rest>\d{2})(?![\d.,]| ?(?:€|euro|cm|x|mm|pers|place|%)))?"
)
_RANGE = re.compile(
    rf"(?<![\w#.,])(?P<low>\d{{1,4}}(?:[.,]\d{{1,2}})?) ?(?:cm|m|mm)? ?"
    r"(?:et|a|-|and|to|y|e|bis|und|en|tot) ?"
    rf"(?P<number>\d{{1,4}}(?:[.,]\d{{1,2}})?) ?{_UNITS}"
)
_JOINED = re.compile(r"(?<![\w#.,])(?P<metres>\d{1,2}) ?m ?(?P<rest>\d{2})(?!\w)")
_SIZE = re.compile(
    r"(?<![\w#.,])(\d{1,4}(?:[.,]\d{1,2})?) ?(cm|m|mm)? ?(?:x|\*|sur|par|by) ?"
    r"(\d{1,4}(?:[.,]\d{1,2})?)"
    r"(?: ?(?:cm|m|mm)?(?: ?(?:x|\*|sur|par|by) ?(\d{1,4}(?:[.,]\d{1,2})?))?) ?(cm|mm|m)?(?![\w/.])"
)
_LETTERED = re.compile(
    r"(?<![\w'])(?P<letter>[lhpd]) ?[:=.]? ?(?P<number>\d{2,3}(?:[.,]\d)?)(?: ?cm)?(?!\w)"
)
_COMPARED = re.compile(
    r"(?<!\w)(?P<no>pas |no |not )?(?:(?P<more>plus|wider|deeper|higher|taller|longer)|moins)"
    r"(?: \w+)? (?:que|than|de) ?$"
)
# A bed or a mattress is called by its width: "un lit 160", "et en 140 ?".
_BEDS = (
    r"lits?|matelas|sommiers?|beds?|mattress(?:es)?|camas?|colchon(?:es)?|bett(?:en)?|matratzen?|"
    r"lett[oi]|materass[oi]|bedden|matras(?:sen)?"
)
_BED_WIDTH = re.compile(
    rf"(?<!\w)(?:{_BEDS})(?: (?:coffre|en|de|in|of|von|da|van)){{0,2}} (?P<named>\d{{2,3}})"
    r"(?: ?cm)?(?![\w.,]| ?(?:€|%|x|euro|jour|place|kg|day|piece))"
    r"|(?<!\w)(?:en|in|de) (?P<alone>\d{2,3})(?: ?cm)? ?[?!.]*$"
)
_BED_WIDTHS_CM = frozenset({60, 70, 80, 90, 100, 120, 140, 150, 160, 180, 200})
_LETTER_AXES = {"l": "width", "h": "height", "p": "depth", "d": "depth"}


@dataclass(frozen=True)
class Dimension:
    """One size; `axis` None when the message names none, `bound` max, min, around, at or None."""

    cm: float
    axis: str | None = None
    bound: str | None = None


@dataclass(frozen=True)
class FoundSizes:
    """Single dimensions, sizes such as 160 x 200 as tuples, and the spans that hold them."""

    dimensions: tuple[Dimension, ...]
    sizes_cm: tuple[tuple[float, ...], ...]
    spans: tuple[tuple[int, int], ...]


@cache
def _axis_words(language: str) -> tuple[tuple[str, str], ...]:
    """Pairs (word, axis), longest first; the message's language wins over French."""
    section = read_list("expressions")["axes"]
    pairs: dict[str, str] = {}
    for code in languages_of(language):
        for axis, words in section.items():
            pairs.update(dict.fromkeys(folded(words.get(code, [])), axis))
    return tuple(sorted(pairs.items(), key=lambda pair: (-len(pair[0]), pair[0])))


@cache
def _axis_patterns(language: str) -> tuple[re.Pattern[str], re.Pattern[str], dict[str, str]]:
    words = "|".join(re.escape(word) for word, _axis in _axis_words(language))
    behind = re.compile(
        rf" ?(?:max\w* |min\w* |ou moins |ou plus |in |en |au )?(?P<axis>{words})(?!\w)"
    )
    ahead = re.compile(rf"(?<!\w)(?P<axis>{words})(?: (?:[a-z'<>=.]+)){{0,4}}[ :=]*$")
    return behind, ahead, dict(_axis_words(language))


def find_dimensions(text: str, language: str) -> FoundSizes:
    """Sizes of a folded text, its numbers in digits: "90 cm max", "2m20 de large", "160x200"."""
    found: list[tuple[int, int, Dimension]] = []
    sizes: list[tuple[float, ...]] = []
    spans: list[tuple[int, int]] = []
    for match in _SIZE.finditer(text):
        size = _size_of(match)
        if size and len(sizes) < _MAX_MENTIONS:
            sizes.append(size)
            spans.append(match.span())
    for match in _RANGE.finditer(text):
        if len(found) < _MAX_MENTIONS:
            spans.append(match.span())
            found += _range_of(match, text, language)
    for pattern in (_JOINED, _SINGLE, _LETTERED):
        for match in pattern.finditer(text):
            if len(found) == _MAX_MENTIONS:
                break
            if not any(start < match.end() and match.start() < end for start, end in spans):
                spans.append(match.span())
                found.append((*match.span(), _dimension_of(match, text, language)))
    found += _unitless(text, language, spans)
    found.sort(key=lambda item: item[0])
    return FoundSizes(tuple(item[2] for item in found), tuple(sizes), tuple(spans))


def _value(number: str) -> float:
    return float(number.replace(",", "."))


def _size_of(match: re.Match[str]) -> tuple[float, ...] | None:
    unit = match[5] or match[2] or "cm"
    numbers = [_value(number) for number in (match[1], match[3], match[4]) if number]
    if unit == "cm" and not match[5] and not match[2]:
        if max(numbers) < 5 and any("." in g or "," in g for g in match.groups() if g):
            unit = "m"
        elif min(numbers) < 10:
            return None
    return tuple(round(number * _CM_PER_UNIT[unit], 1) for number in numbers)


def _centimetres(match: re.Match[str]) -> float:
    groups = match.groupdict()
    if "metres" in groups:
        return float(groups["metres"]) * 100 + float(groups["rest"])
    unit = groups.get("unit") or "cm"
    unit = "mm" if unit.startswith(("mm", "mil")) else "cm" if unit.startswith(("c", "z")) else "m"
    rest = float(groups["rest"]) if unit == "m" and groups.get("rest") else 0.0
    return round(_value(groups["number"]) * _CM_PER_UNIT[unit] + rest, 1)


def _range_of(match: re.Match[str], text: str, language: str) -> list[tuple[int, int, Dimension]]:
    """Both ends of "entre 80 et 120 cm de large" as a lowest and a highest size."""
    highest = _dimension_of(match, text, language)
    lowest = (
        round(_value(match["low"]) * highest.cm / _value(match["number"]), 1) if highest.cm else 0.0
    )
    start, end = match.span()
    return [
        (start, end, Dimension(lowest, highest.axis, "min")),
        (start, end, Dimension(highest.cm, highest.axis, "max")),
    ]


def _dimension_of(match: re.Match[str], text: str, language: str) -> Dimension:
    behind, ahead, axes = _axis_patterns(language)
    before, after = (
        text[max(0, match.start() - 48) : match.start()],
        text[match.end() : match.end() + 40],
    )
    letter = match.groupdict().get("letter")
    following = behind.match(after)
    named = following or ahead.search(before)
    axis = axes[named["axis"]] if named else _LETTER_AXES[letter] if letter else None
    rest = after[following.end() :] if following else after
    bound = (
        bound_after(after, language)
        or bound_after(rest, language)
        or bound_before(before, language)
    )
    compared = _COMPARED.search(before)
    if compared:
        bound = "min" if compared["more"] and not compared["no"] else "max"
    return Dimension(_centimetres(match), axis, bound)


@cache
def _unitless_pattern(language: str) -> re.Pattern[str]:
    words = "|".join(re.escape(word) for word, _axis in _axis_words(language))
    return re.compile(
        rf"(?<!\w)(?:{words})(?: (?:max\w*|min\w*|de|d'|of|est|is|von|di|van))*[ :=]+"
        r"(?P<number>\d{2,3})(?![\w€]|[.,]\d| ?(?:€|euro|%|x))"
    )


def _unitless(
    text: str, language: str, spans: list[tuple[int, int]]
) -> list[tuple[int, int, Dimension]]:
    """Numbers without a unit right behind the name of an axis: "largeur max 90"."""
    found: list[tuple[int, int, Dimension]] = []
    for match in _unitless_pattern(language).finditer(text):
        start, end = match.span("number")
        taken = any(first < end and start < last for first, last in spans)
        if not taken and len(found) < _MAX_MENTIONS:
            number = re.compile(r"(?P<number>\d+)").match(text, start, end)
            if number:
                spans.append((start, end))
                found.append((start, end, _dimension_of(number, text, language)))
    return found


def find_named_size(text: str, sizes_cm: tuple[tuple[float, ...], ...]) -> tuple[float, ...]:
    """The size that furniture is called by, width first: (160, 200) of "160x200".

    A bed's width alone is one too: (160,) of "lit 160", or of "et en 160 ?".
    """
    for size in sizes_cm:
        if len(size) == 2:
            return size
    for found in _BED_WIDTH.finditer(text):
        width = int(found["named"] or found["alone"])
        if width in _BED_WIDTHS_CM:
            return (float(width),)
    return ()
