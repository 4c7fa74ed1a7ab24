"""Dates, days of the week and times of day."""

from __future__ import annotations

import re
from datetime import date

from babel.dates import format_date

from channels.voice.spoken.numbers import say_number
from channels.voice.spoken.wording import Wording

_DATE = re.compile(r"(?<![\d/.-])(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?![\d/])")
_ISO_DATE = re.compile(r"(?<![\d/.-])(\d{4})-(\d{2})-(\d{2})(?:T[\d:.]+Z?)?(?![\d-])")
_SHORT_DATE = re.compile(r"(?<=\b[dlaDLA][eu] )(\d{1,2})/(\d{1,2})(?![\d/])")
_HOUR = r"([01]?\d|2[0-4])\s?(?:[hH:])\s?([0-5]\d)?(?![\d\w:])"
_CLOCK = r"(?<![\d:,.])([01]?\d|2[0-4])(?:\s?[hH](?:\s?([0-5]\d))?|:([0-5]\d))(?![\d\w:/])"
_TIME = re.compile(_CLOCK)
_DURATION = re.compile(r"(?<![\d:,.])(\d{1,3})\s?[hH](?![\d\w:/])")
_TIME_RANGE = re.compile(_CLOCK + r"\s?[-–]\s?" + _CLOCK.replace(r"(?<![\d:,.])", ""))
_ALL_DAY = re.compile(r"(?<!\d)24\s?[hH]?\s?/\s?(?:24(?:\s?[hH])?|7)(?![\d/])")
_ALL_WEEK = re.compile(r"(?<!\d)7\s?[jJdD]?\s?/\s?7(?:\s?[jJ])?(?![\w/])")


def say_dates(text: str, wording: Wording) -> str:
    """`12/03/2026` and `2026-03-12` with the name of the month; what is no date stays."""
    text = _ISO_DATE.sub(lambda found: _date(found, (1, 2, 3), wording), text)
    text = _DATE.sub(lambda found: _date(found, (3, 2, 1), wording), text)
    if wording.language == "fr":
        text = _SHORT_DATE.sub(lambda found: _date(found, (0, 2, 1), wording), text)
    return text


def _date(found: re.Match[str], groups: tuple[int, int, int], wording: Wording) -> str:
    """`groups` are those of year, month and day; 0 stands for no year."""
    year = int(found[groups[0]]) if groups[0] else 2000
    try:
        moment = date(year, int(found[groups[1]]), int(found[groups[2]]))
    except ValueError:
        return found[0]
    month = format_date(moment, "MMMM", locale=wording.language)
    day = say_number(moment.day, wording)
    if wording.language == "fr" and moment.day == 1:
        day = "premier"
    if wording.language == "en":
        return f"{month} {_english_day(moment.day)}, {_year(year, wording)}"
    joint = " de " if wording.language == "es" else " "
    return joint.join([day, month, *([_year(year, wording)] if groups[0] else [])])


def _english_day(day: int) -> str:
    from num2words import num2words

    return str(num2words(day, lang="en", to="ordinal"))


def _year(year: int, wording: Wording) -> str:
    return say_number(year, wording)


def say_days(text: str, wording: Wording) -> str:
    """`lun.-ven.` becomes `du lundi au vendredi`; a single abbreviation needs its full stop."""
    if not wording.days:
        return text
    short = "|".join(map(re.escape, wording.days))
    full = "|".join(map(re.escape, wording.days.values()))
    day = rf"(?:(?:{short})\b\.?|(?:{full})\b)"
    span = re.compile(rf"(?<!\w)({day})\s?[-–]\s?({day})(?!\w)", re.IGNORECASE)

    def named(written: str) -> str:
        return wording.days.get(written.rstrip(".").lower(), written)

    text = span.sub(
        lambda found: wording.words["day_range"].format(
            first=named(found[1]), last=named(found[2])
        ),
        text,
    )
    # Without its full stop a short name may be a word: "mer", "sun", "so".
    single = re.compile(rf"(?<!\w)(?:{short})\.(?=\s|$|[-,;:)])", re.IGNORECASE)
    return single.sub(lambda found: named(found[0]), text)


def say_times(text: str, wording: Wording) -> str:
    """`9h30-19h`, `14:05`, `48h` and `24h/24, 7j/7` in words."""
    text = _ALL_DAY.sub(
        lambda found: (
            wording.words["all_day"]
            + (f", {wording.words['all_week']}" if found[0].endswith("7") else "")
        ),
        text,
    )
    text = _ALL_WEEK.sub(wording.words["all_week"], text)

    def span(found: re.Match[str]) -> str:
        first = _time(found[1], found[2] or found[3], wording)
        last = _time(found[4], found[5] or found[6], wording)
        return wording.words["time_range"].format(first=first, last=last)

    text = _TIME_RANGE.sub(span, text)
    text = _TIME.sub(lambda found: _time(found[1], found[2] or found[3], wording), text)
    return _DURATION.sub(lambda found: _time(found[1], None, wording), text)


def _time(hour: str, minute: str | None, wording: Wording) -> str:
    number = int(hour)
    said = say_number(number, wording, feminine=True)
    rest = "" if minute in (None, "00") else " " + say_number(int(minute or 0), wording)
    if wording.language == "en":
        if minute is None:
            return f"{said} {wording.words['hour' if number == 1 else 'hours']}"
        return said + (rest or " o'clock")
    return f"{said} {wording.words['hour' if number <= 1 else 'hours']}{rest}"
