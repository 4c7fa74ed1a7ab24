"""The report of played tests as one HTML file: what passed, what failed, which turns differ.

Nothing is loaded from elsewhere and nothing runs in it; every text is escaped by the serializer.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring

from bot.evaluation.compare import Comparison, Difference
from bot.evaluation.playing import PlayedTurn
from bot.evaluation.scenarios import ScenarioResult
from bot.evaluation.trials import pass_power

STYLE = Path(__file__).with_name("report.css")
TRIALS_OF_POWER = 4


@dataclass(frozen=True)
class Report:
    """What one run has shown; pass^1 and pass^4 are probabilities, None where unknown."""

    made_at: datetime
    repeat: int
    results: Sequence[ScenarioResult]
    comparison: Comparison | None = None

    @property
    def failed(self) -> list[ScenarioResult]:
        return [result for result in self.results if not result.passed]

    @property
    def passes(self) -> int:
        return len(self.results) - len(self.failed)

    @property
    def pass_1(self) -> float | None:
        return pass_power(self.results, 1)

    @property
    def pass_4(self) -> float | None:
        return pass_power(self.results, TRIALS_OF_POWER)


def as_html(report: Report) -> str:
    """The whole page."""
    page = Element("html", lang="en")
    head = SubElement(page, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    _text(head, "title", "Conversation tests")
    _text(head, "style", STYLE.read_text(encoding="utf-8"))
    body = SubElement(page, "body")
    main = SubElement(body, "main")
    _text(main, "h1", "Conversation tests")
    _text(main, "p", f"{report.made_at:%Y-%m-%d %H:%M} UTC", "facts")
    _summary(main, report)
    if report.comparison is not None:
        _comparison(main, report.comparison)
    _failures(main, report.failed)
    _passes(main, report)
    return "<!doctype html>\n" + tostring(page, encoding="unicode", method="html") + "\n"


def _text(parent: Element, tag: str, text: str, kind: str = "") -> Element:
    element = SubElement(parent, tag, {"class": kind} if kind else {})
    element.text = "".join(
        one for one in text if one in "\n\t" or unicodedata.category(one) != "Cc"
    )
    return element


def _summary(main: Element, report: Report) -> None:
    figures = {
        "passed": str(report.passes),
        "failed": str(len(report.failed)),
        "plays of each test": str(report.repeat),
        "pass^1": _probability(report.pass_1),
        "pass^4": _probability(report.pass_4),
    }
    if report.comparison is not None:
        name = report.comparison.name
        figures[f"pass^1 of {name}"] = _probability(pass_power(report.comparison.results, 1))
        figures["differing turns"] = str(len(report.comparison.differences))
    grid = SubElement(main, "dl")
    for name, figure in figures.items():
        cell = SubElement(grid, "div")
        _text(cell, "dt", name)
        _text(cell, "dd", figure)


def _probability(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _comparison(main: Element, comparison: Comparison) -> None:
    _text(main, "h2", f"Compared with {comparison.name}")
    for title, tests, kind in (
        ("Passes there only", comparison.fixed, "good"),
        ("Fails there only", comparison.broken, "bad"),
    ):
        if tests:
            _text(main, "h3", title, kind)
            listed = SubElement(main, "ul")
            for file, test in tests:
                _text(listed, "li", f"{file}: {test}")
    if not comparison.differences:
        _text(main, "p", "Every turn went the same way.")
    for difference in comparison.differences:
        _difference(main, difference, comparison.name)


def _difference(main: Element, difference: Difference, name: str) -> None:
    box = SubElement(main, "article")
    _text(box, "h3", f"{difference.file}: {difference.test}, turn {difference.turn}")
    _text(box, "p", "differs in " + ", ".join(difference.what), "facts")
    sides = SubElement(box, "div", {"class": "sides"})
    for title, turn in (("Now", difference.before), (name, difference.after)):
        side = SubElement(sides, "div")
        _text(side, "strong", title)
        if turn is None:
            _text(side, "p", "The conversation was over.", "facts")
        else:
            _turn(side, turn)


def _turn(parent: Element, turn: PlayedTurn) -> None:
    _text(parent, "div", turn.said, "said")
    _text(parent, "div", turn.answered, "answered")
    facts = [f"{turn.intent} {turn.confidence:.2f}", turn.language, turn.owner]
    facts += [
        f"{name} {', '.join(values)}"
        for name, values in (
            ("tools", turn.tools),
            ("sources", turn.sources),
            ("products", turn.products),
        )
        if values
    ]
    _text(parent, "p", " · ".join(facts), "facts")
    for failure in turn.failures:
        _text(parent, "p", failure, "bad")


def _failures(main: Element, failed: Sequence[ScenarioResult]) -> None:
    _text(main, "h2", "Failed")
    if not failed:
        _text(main, "p", "Nothing failed.")
    for result in failed:
        box = SubElement(main, "details", open="open")
        _text(box, "summary", f"{result.file}: {result.scenario}{_trial(result)}", "bad")
        listed = SubElement(box, "ul")
        for failure in result.failures:
            _text(listed, "li", failure, "bad")
        for turn in result.turns:
            _turn(box, turn)


def _trial(result: ScenarioResult) -> str:
    return f" (play {result.trial})" if result.trial > 1 else ""


def _passes(main: Element, report: Report) -> None:
    box = SubElement(main, "details")
    _text(box, "summary", "Passed", "good")
    listed = SubElement(box, "ul")
    for result in report.results:
        if result.passed:
            _text(listed, "li", f"{result.file}: {result.scenario}{_trial(result)}")
