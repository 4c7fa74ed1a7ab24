"""How does a French word sound? Written in signs of which two words that sound alike share all.

One sign a sound, silent letters and the mute e left out, open and closed vowels taken for one:
`accoudoir` and `la coudoir` must meet. Signs beyond letters: 1 `an`, 5 `in`, 3 `on`, 2 `eu`,
S `ch`, Z `j`, N `gn`.
"""

from __future__ import annotations

import re
from functools import lru_cache

VOWELS = frozenset("aeiouy1235")
_PAIRS = ("pb", "td", "kg", "fv", "sz", "SZ", "mn", "sS", "zZ")
# Sounds that recognisers take for each other: half an error.
_NEAR = {frozenset(pair) for pair in _PAIRS}
# Longest first within each first letter; a vowel behind undoes a nasal.
_RULES: tuple[tuple[str, str], ...] = (
    (r"eaux?|aux?(?!\w)|au", "o"),
    (r"(?<=[aeou])ill(?=[eaio])|(?<=[aeou])il(?!\w)", "i"),
    (r"ill(?=[eaio])", "ii"),
    (r"oin(?![aeiouyhn])", "w5"),
    (r"o[iîy]", "wa"),
    (r"o[uùû]", "u"),
    (r"œu?|oeu|eu[x]?(?!\w)|eu", "2"),
    (r"(?:ai|ei|i|y)[nm](?![aeéèêiouyhnm])", "5"),
    (r"(?<=i)en(?![aeéèêiouyhnm])", "5"),
    (r"[ae][nm](?![aeéèêiouyhnm])", "1"),
    (r"o[nm](?![aeéèêiouyhnm])", "3"),
    (r"u[nm](?![aeéèêiouyhnm])", "5"),
    (r"sch|ch", "S"),
    (r"ph", "f"),
    (r"gn", "N"),
    (r"ge(?=[aou])", "Z"),
    (r"gu(?=[eéèiy])", "g"),
    (r"g(?=[eéèêiy])", "Z"),
    (r"c(?=[eéèêiy])|ç", "s"),
    (r"qu|q|ck|cc(?![eiéè])|c", "k"),
    (r"x", "ks"),
    (r"j", "Z"),
    (r"(?<=[aeéèêiouyâîôû])s(?=[aeéèêiouyâîôûh])", "z"),
    (r"th", "t"),
    (r"w", "w"),
    (r"(?<=\b[ldmtsc])e(?=s\b)", "e"),
    (r"er(?!\w)(?<=\w\w\w\w)|ez(?!\w)|et(?!\w)", "e"),
    (r"ents?(?!\w)(?<=\w\w\w\w\w)", ""),
    (
        r"[éèêë]|a[iî]s?|ei(?!l)|e(?=il|(?:bb|cc|dd|ff|ll|mm|nn|pp|rr|ss|tt))"
        r"|e(?=[rlscfx][^aeiouyhéèêâîôûlr])(?!s\b)|e(?=[rlcf](?!\w))",
        "e",
    ),
    (r"e(?=s?(?!\w))", ""),
    (r"e", ""),
    (r"[aàâ]", "a"),
    (r"[iîïy]", "i"),
    (r"[oôö]", "o"),
    (r"[uùûü]", "y"),
    (r"[tdsxzp]+(?!\w)", ""),
    (r"h|'|-", ""),
)
_SOUND = re.compile(
    "|".join(f"(?P<r{number}>{pattern})" for number, (pattern, _) in enumerate(_RULES))
    + r"|(?P<letter>[a-zœ])"
)
_SIGNS = {f"r{number}": sign for number, (_, sign) in enumerate(_RULES)}


@lru_cache(maxsize=20_000)
def sounds_of(word: str) -> str:
    """The sounds of one word, or of several when they are joined."""
    found = []
    for match in _SOUND.finditer(word.lower()):
        group = match.lastgroup or ""
        found.append(match[0] if group == "letter" else _SIGNS.get(group, ""))
    return re.sub(r"(.)\1+", r"\1", "".join(found))


def distance(one: str, other: str) -> float:
    """How many sounds must change to make one of the other; a near sound counts half."""
    previous = [float(at) for at in range(len(other) + 1)]
    for row, sign in enumerate(one, 1):
        current = [float(row)]
        for column, against in enumerate(other, 1):
            current.append(
                min(
                    previous[column] + _cost(sign),
                    current[column - 1] + _cost(against),
                    previous[column - 1] + _change(sign, against),
                )
            )
        previous = current
    return previous[-1]


def _cost(sign: str) -> float:
    """Of a sound too many or too few: a glide is hardly heard."""
    return 0.5 if sign in "wi" else 1.0


def _change(sign: str, against: str) -> float:
    if sign == against:
        return 0.0
    if sign in VOWELS and against in VOWELS:
        return 0.5
    return 0.5 if frozenset((sign, against)) in _NEAR else 1.0
