"""Prices, sizes, units, ranges and instalments."""

from __future__ import annotations

import re
from decimal import Decimal

from babel.units import format_unit

from channels.voice.spoken.numbers import number_pattern, say_number, value_of
from channels.voice.spoken.wording import Wording

_GAP = r"[ \u00a0\u202f]?"
_CURRENCIES = {
    "€": ("euro", "euros"),
    "EUR": ("euro", "euros"),
    "$": ("dollar", "dollars"),
    "£": ("livre sterling", "livres sterling"),
}
# As written, and Unicode's name of the unit.
_UNITS = {
    "mm": "length-millimeter",
    "cm": "length-centimeter",
    "m": "length-meter",
    "km": "length-kilometer",
    "m²": "area-square-meter",
    "m2": "area-square-meter",
    "cm²": "area-square-centimeter",
    "m³": "volume-cubic-meter",
    "m3": "volume-cubic-meter",
    "kg": "mass-kilogram",
    "g": "mass-gram",
    "l": "volume-liter",
    "L": "volume-liter",
    "cl": "volume-centiliter",
    "W": "power-watt",
    "kWh": "energy-kilowatt-hour",
    "V": "electric-volt",
    "°C": "temperature-celsius",
    "min": "duration-minute",
    "s": "duration-second",
}
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))


def say_prices(text: str, wording: Wording) -> str:
    """`1 290,50 €` becomes `mille deux cent quatre-vingt-dix euros cinquante`."""
    number = number_pattern(wording)
    sign = "|".join(map(re.escape, _CURRENCIES))
    behind = re.compile(rf"({number}){_GAP}({sign})(?!\w)({_GAP}/{_GAP}|\b)?")
    before = re.compile(rf"(?<!\w)({sign}){_GAP}({number})")

    def said(found: re.Match[str]) -> str:
        per = f" {wording.words['per']} " if found[3] and "/" in found[3] else ""
        return _price(value_of(found[1], wording), found[2], wording) + per

    text = before.sub(lambda found: _price(value_of(found[2], wording), found[1], wording), text)
    return behind.sub(said, text)


def _price(amount: Decimal, sign: str, wording: Wording) -> str:
    whole, cents = divmod(round(amount * 100), 100)
    name = _currency(sign, int(whole), wording)
    said = f"{say_number(int(whole), wording, feminine=name.startswith('livre'))} {name}"
    if not cents:
        return said
    joint = f" {wording.words['and']} " if wording.language == "en" else " "
    return f"{said}{joint}{say_number(int(cents), wording)}" + " cents" * (wording.language == "en")


def _currency(sign: str, whole: int, wording: Wording) -> str:
    one, many = _CURRENCIES[sign]
    if wording.language == "fr":
        return one if whole <= 1 else many
    if sign in "£":
        return "pound" if whole == 1 else "pounds"
    if wording.language in ("de", "nl", "it"):
        return one if wording.language != "de" else one.capitalize()
    return one if whole == 1 else many


def say_dimensions(text: str, wording: Wording) -> str:
    """`90 x 200 cm` becomes `quatre-vingt-dix par deux cents centimètres`."""
    number = number_pattern(wording)
    letter = r"(?:(?<!\w)[LlPpHhWwDd]\.?\s?)?"
    sides = re.compile(
        rf"{letter}{number}(?:{_GAP}(?:{_UNIT}))?(?:\s?[x×X*]\s?{letter}{number}"
        rf"(?:{_GAP}(?:{_UNIT})(?!\w))?){{1,2}}(?!{_GAP}[€$£\w])"
    )

    def said(found: re.Match[str]) -> str:
        values = re.findall(number, re.sub(r"[x×X*]", " x ", found[0]))
        units = re.findall(rf"(?<=[\d\s])({_UNIT})(?!\w)", found[0])
        words = [say_number(value_of(value, wording), wording) for value in values]
        unit = f" {_unit_name(value_of(values[-1], wording), units[-1], wording)}" if units else ""
        return f" {wording.words['by']} ".join(words) + unit

    return sides.sub(said, text)


def say_instalments(text: str, wording: Wording) -> str:
    """`3x sans frais` and `4 x 50 €` are said with `fois`."""
    return re.sub(
        r"(?<![\d,.])(\d{1,3})\s?[x×](?=\s|$|[,.;)]|\d+\s?€)",
        lambda found: f"{say_number(int(found[1]), wording)} {wording.words['times']}",
        text,
    )


def say_ranges(text: str, wording: Wording) -> str:
    """`10-15 jours` becomes `dix à 15 jours`; what stands behind is said by other rules."""
    number = number_pattern(wording)
    pattern = re.compile(rf"({number})\s?[-–]\s?(?=({number}){_GAP}(?:[^\W\d_]|[€$£%]))")
    template = wording.words["range"].replace("{last}", "")
    return pattern.sub(
        lambda found: template.format(first=say_number(value_of(found[1], wording), wording)), text
    )


def say_units(text: str, wording: Wording) -> str:
    """`3,5 kg` with the name of the unit, in the singular or plural."""
    pattern = re.compile(rf"({number_pattern(wording)}){_GAP}({_UNIT})(?![\w²³/])")

    def said(found: re.Match[str]) -> str:
        value = value_of(found[1], wording)
        feminine = found[2] in ("min", "s")
        return (
            f"{say_number(value, wording, feminine=feminine)} "
            f"{_unit_name(value, found[2], wording)}"
        )

    return pattern.sub(said, text)


def _unit_name(value: Decimal, unit: str, wording: Wording) -> str:
    """The unit's name alone, as it is after this number."""
    written = format_unit(value, _UNITS[unit], length="long", locale=wording.language)
    return re.sub(r"^[\d.,\s\u00a0\u202f]+", "", written)
