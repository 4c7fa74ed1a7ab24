"""Two configurations side by side: at which turns do they answer differently?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from bot.evaluation.playing import PlayedTurn
from bot.evaluation.scenarios import ScenarioResult

# Ticket numbers count on from whatever was opened before: they tell nothing about the answer.
_TICKET = re.compile(r"TKT-\d{4}-\d{6}")

_COMPARED: Mapping[str, Callable[[PlayedTurn], object]] = {
    "said": lambda turn: _TICKET.sub("TKT", turn.said),
    "text": lambda turn: _TICKET.sub("TKT", turn.answered),
    "intent": lambda turn: turn.intent,
    "language": lambda turn: turn.language,
    "sources": lambda turn: turn.sources,
    "products": lambda turn: turn.products,
    "tools": lambda turn: turn.tools,
    "owner": lambda turn: turn.owner,
    "outcome": lambda turn: bool(turn.failures),
}


@dataclass(frozen=True)
class Difference:
    """One turn that went differently; a side is None where the conversation was over.

    `what` names the differing parts: text, intent, sources, …
    """

    file: str
    test: str
    turn: int
    what: tuple[str, ...]
    before: PlayedTurn | None
    after: PlayedTurn | None


@dataclass(frozen=True)
class Comparison:
    """What the second configuration changes; `fixed` and `broken` are tests by file and name."""

    name: str
    results: Sequence[ScenarioResult]
    differences: Sequence[Difference]
    fixed: Sequence[tuple[str, str]]
    broken: Sequence[tuple[str, str]]


def compare(
    name: str, before: Sequence[ScenarioResult], after: Sequence[ScenarioResult]
) -> Comparison:
    """Compare the results of the same tests, play by play; differing turns of first plays only.

    After a simulated customer has heard another answer they say something else: the turns that
    follow are shown as they went.
    """
    others = {_key(result): result for result in after}
    pairs = [(result, others[_key(result)]) for result in before if _key(result) in others]
    fixed = [(one.file, one.scenario) for one, other in pairs if other.passed and not one.passed]
    broken = [(one.file, one.scenario) for one, other in pairs if one.passed and not other.passed]
    return Comparison(
        name,
        after,
        [
            difference
            for one, other in pairs
            if one.trial == 1
            for difference in _differences(one, other)
        ],
        list(dict.fromkeys(fixed)),
        list(dict.fromkeys(broken)),
    )


def _key(result: ScenarioResult) -> tuple[str, str, int]:
    return result.file, result.scenario, result.trial


def _differences(before: ScenarioResult, after: ScenarioResult) -> list[Difference]:
    found = []
    for number, (one, other) in enumerate(zip_longest(before.turns, after.turns), 1):
        what = _what_differs(one, other)
        if what:
            found.append(Difference(before.file, before.scenario, number, what, one, other))
    return found


def _what_differs(one: PlayedTurn | None, other: PlayedTurn | None) -> tuple[str, ...]:
    if one is None or other is None:
        return ("length",)
    return tuple(name for name, part in _COMPARED.items() if part(one) != part(other))
