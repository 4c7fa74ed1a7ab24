"""Which days does a message mention? Calendar dates, weekdays and durations before or after today.

Rules of our own: the candidate libraries cost 2 ms and 25 MB a process and read neither
"mardi dernier" nor "lundi prochain".
"""

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from bot.understanding.entities.expressions import LANGUAGES, alternatives, folded, read_list

_MAX_MENTIONS = 8
_MAX_QUANTITY = 1000


@dataclass(frozen=True)
class FoundDate:
    """A day and the span of the text that says it."""

    day: date
    start: int
    end: int


@dataclass(frozen=True)
class _Words:
    """One language's words, folded, with the patterns made of them."""

    months: dict[str, int]
    weekdays: dict[str, int]
    days: dict[str, int]
    units: dict[str, str]
    last: frozenset[str]
    # What a day that is not written in figures alone cannot do without.
    some: re.Pattern[str]
    patterns: tuple[tuple[re.Pattern[str], "_Resolver"], ...]


_Resolver = Callable[[_Words, re.Match[str], date], date | None]


def find_dates(text: str, language: str, today: date) -> tuple[FoundDate, ...]:
    """Days that a folded text with its numbers in digits mentions, in order.

    A day without a year is the nearest one to today; a bare weekday is the last one gone by;
    "prochain" is the one of next week; a week, month or year ago is a day that long ago.
    """
    words = _words_of(language if language in LANGUAGES else "fr")
    found: list[FoundDate] = []
    has_words = words.some.search(text) is not None
    for pattern, resolve in words.patterns:
        if not has_words and resolve not in _IN_FIGURES:
            continue
        for match in pattern.finditer(text):
            if any(other.start < match.end() and match.start() < other.end for other in found):
                continue
            day = resolve(words, match, today)
            if day is not None and len(found) < _MAX_MENTIONS:
                found.append(FoundDate(day, match.start(), match.end()))
    return tuple(sorted(found, key=lambda item: item.start))


def _index(groups: list[list[str]], first: int) -> dict[str, int]:
    return {word: first + number for number, group in enumerate(groups) for word in folded(group)}


@cache
def _words_of(language: str) -> _Words:
    section: dict[str, Any] = read_list("dates")[language]
    months, weekdays = _index(section["months"], 1), _index(section["weekdays"], 0)
    days = {folded([word])[0]: offset for word, offset in section["days"].items()}
    units = {word: unit for unit, group in section["units"].items() for word in folded(group)}
    last = frozenset(folded(section["last"]))
    parts = {
        "month": alternatives(months), "weekday": alternatives(weekdays), "day": alternatives(days),
        "unit": alternatives(units), "last": alternatives(section["last"]),
        "next": alternatives(section["next"]), "this": alternatives(section["this"]),
        "ago": alternatives(section["ago_before"]), "ago_after": alternatives(section["ago_after"]),
        "in": alternatives(section["in_before"]), "in_after": alternatives(section["in_after"]),
    }  # fmt: skip
    some = re.compile(rf"(?:{alternatives([*months, *weekdays, *days, *units])})(?!\w)")
    return _Words(months, weekdays, days, units, last, some, tuple(_patterns(parts)))


def _patterns(
    parts: dict[str, str],
) -> Iterator[tuple[re.Pattern[str], "_Resolver"]]:
    for template, resolve in _TEMPLATES:
        yield re.compile(template % parts if "%(" in template else template), resolve


def _make(year: int, month: int, day: int) -> date | None:
    if 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]:
        return date(year, month, day)
    return None


def _nearest(month: int, day: int, today: date) -> date | None:
    years = (today.year, today.year - 1, today.year + 1)
    candidates = [made for year in years if (made := _make(year, month, day))]
    return min(candidates, key=lambda made: abs((made - today).days), default=None)


def _numeric(_words: _Words, match: re.Match[str], _today: date) -> date | None:
    year = int(match["year"])
    if year < 100:
        year += 2000 if year < 50 else 1900
    month, day = int(match["month"]), int(match["day"])
    if month > 12 >= day:
        month, day = day, month
    return _make(year, month, day)


def _day_month(_words: _Words, match: re.Match[str], today: date) -> date | None:
    return _nearest(int(match["month"]), int(match["day"]), today)


def _day_alone(_words: _Words, match: re.Match[str], today: date) -> date | None:
    """The nearest such day of the last, this or the next month."""
    return _nearest_day(int(match["day"]), today, None)


def _weekday_and_day(words: _Words, match: re.Match[str], today: date) -> date | None:
    """The nearest such day that falls on the weekday: "jeudi 21"."""
    return _nearest_day(int(match["day"]), today, words.weekdays[match["name"]])


def _nearest_day(day: int, today: date, weekday: int | None) -> date | None:
    first = today.replace(day=1)
    reach = range(-1, 2) if weekday is None else range(-12, 13)
    months = [shifted for count in reach if (shifted := shift(first, count, "month"))]
    candidates = [made for month in months if (made := _make(month.year, month.month, day))]
    fitting = [made for made in candidates if weekday in (None, made.weekday())]
    return min(fitting, key=lambda made: abs((made - today).days), default=None)


def _named(words: _Words, match: re.Match[str], today: date) -> date | None:
    month, day = words.months[match["name"]], int(match["day"])
    return _make(int(match["year"]), month, day) if match["year"] else _nearest(month, day, today)


def _relative(words: _Words, match: re.Match[str], today: date) -> date | None:
    return today + timedelta(days=words.days[match["word"]])


def _weekday(words: _Words, match: re.Match[str], today: date) -> date | None:
    groups = match.groupdict()
    wanted = words.weekdays[groups["name"]]
    monday = today - timedelta(days=today.weekday())
    if groups.get("next"):
        return monday + timedelta(days=7 + wanted)
    if groups.get("this"):
        return monday + timedelta(days=wanted)
    return today - timedelta(days=(today.weekday() - wanted - 1) % 7 + 1)


def shift(day: date, count: int, unit: str) -> date | None:
    """The day `count` units later (earlier if negative), clipped to its month, or None."""
    if abs(count) > _MAX_QUANTITY:
        return None
    if unit in ("day", "week"):
        return day + timedelta(days=count * (7 if unit == "week" else 1))
    months = day.year * 12 + day.month - 1 + count * (12 if unit == "year" else 1)
    year, month = divmod(months, 12)
    if not 1 <= year <= 9999:
        return None
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _ago(words: _Words, match: re.Match[str], today: date) -> date | None:
    return shift(today, -int(match["count"]), words.units[match["unit"]])


def _ahead(words: _Words, match: re.Match[str], today: date) -> date | None:
    return shift(today, int(match["count"]), words.units[match["unit"]])


def _period(words: _Words, match: re.Match[str], today: date) -> date | None:
    return shift(today, -1 if match.groupdict().get("last") else 1, words.units[match["unit"]])


_IN_FIGURES = frozenset({_numeric, _day_month, _day_alone})

# Most telling first: a later pattern never reads a span that an earlier one has read.
_TEMPLATES: tuple[tuple[str, _Resolver], ...] = (
    (
        r"(?<![\d/.-])(?P<year>(?:19|20)\d\d)[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?![\d/-])",
        _numeric,
    ),
    (
        r"(?:(?:%(weekday)s),? (?:le )?)?(?<![\d/.-])(?P<day>\d{1,2})(?P<mark>[-/.])"
        r"(?P<month>\d{1,2})(?P=mark)(?P<year>\d{4}|\d{2})(?![\d/-])",
        _numeric,
    ),
    (
        r"(?<![\d/.,-])(?<!\d )(?P<day>\d{1,2}) (?P<month>\d{1,2}) (?P<year>(?:19|20)\d\d)(?!\d)",
        _numeric,
    ),
    (
        r"(?:(?:%(weekday)s)\.?,? (?:le |the |el |der |den )?)?(?<![\w.,])#?(?P<day>\d{1,2})"
        r"\.?[ /-]?(?:de |of )?(?P<name>%(month)s)(?!\w)\.?,?"
        r"(?:[ /-](?:de |del )?(?P<year>(?:19|20)\d\d)(?!\d))?",
        _named,
    ),
    (
        r"(?<!\w)(?P<name>%(month)s)\.?[ /-](?:the )?#?(?P<day>\d{1,2})"
        r"(?![\d:]| ?(?:€|euro|cm|h\b))(?:,? (?:de )?(?P<year>(?:19|20)\d\d)(?!\d))?",
        _named,
    ),
    (
        r"(?:(?:%(weekday)s),? (?:le )?)?(?<![\d/.-])(?!24/7)(?P<day>[0-3]\d)"
        r"/(?P<month>[01]?\d)(?![\d/])",
        _day_month,
    ),
    (r"(?<=le )(?P<day>\d{1,2})/(?P<month>\d{1,2})(?![\d/])", _day_month),
    (r"(?<!\w)(?P<word>%(day)s)(?!\w)", _relative),
    (
        r"(?<!\w)(?P<name>%(weekday)s),? (?:le |the |el |der |il |de )?#?(?P<day>\d{1,2})"
        r"(?![\w:,./]\w|\w| ?(?:h|€|euro|%(unit)s)\b)",
        _weekday_and_day,
    ),
    (r"(?<!\w)(?P<name>%(weekday)s) (?:de )?(?P<this>cette) semaine(?!\w)", _weekday),
    (
        r"(?<!\w)(?P<name>%(weekday)s) (?:(?:de )?la semaine )?"
        r"(?:(?P<last>%(last)s)|(?P<next>%(next)s))(?!\w)",
        _weekday,
    ),
    (
        r"(?<!\w)(?:(?P<last>%(last)s)|(?P<next>%(next)s)|(?P<this>%(this)s)) "
        r"(?P<name>%(weekday)s)(?!\w)",
        _weekday,
    ),
    (
        r"(?<!\w)(?:%(ago)s) (?:environ |a peu pres |plus de |unos |etwa )?"
        r"(?P<count>\d{1,3}) (?P<unit>%(unit)s)(?!\w)",
        _ago,
    ),
    (r"(?<![\w.,])(?P<count>\d{1,3}) (?P<unit>%(unit)s) (?:%(ago_after)s)(?!\w)", _ago),
    (r"(?<!\w)(?:%(in)s) (?P<count>\d{1,3}) (?P<unit>%(unit)s)(?!\w)", _ahead),
    (r"(?<![\w.,])(?P<count>\d{1,3}) (?P<unit>%(unit)s) (?:%(in_after)s)(?!\w)", _ahead),
    (r"(?<!\w)(?P<unit>%(unit)s) (?:(?P<last>%(last)s)|(?P<next>%(next)s))(?!\w)", _period),
    (r"(?<!\w)(?:(?P<last>%(last)s)|(?P<next>%(next)s)) (?P<unit>%(unit)s)(?!\w)", _period),
    (r"(?<!\w)(?P<name>%(weekday)s)(?!\w)", _weekday),
    (r"(?<=le )(?P<day>1[3-9]|2\d|3[01])(?= *(?:$|[,;.!?](?!\d)|et |pour |au ))", _day_alone),
)
