"""Figures and reports of played tests: pass^k, differing turns, and a page that runs nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path

import pytest

from api.commands.candidates import read_candidate
from bot.assistant import Assistant
from bot.evaluation.compare import Comparison, compare
from bot.evaluation.playing import PlayedTurn
from bot.evaluation.report import Report, as_html
from bot.evaluation.scenarios import ScenarioResult, load_scenarios, read_document
from bot.evaluation.trials import load_test_file, pass_power

MOMENT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def turn(said: str, answered: str, **more: object) -> PlayedTurn:
    return PlayedTurn(said, answered, "fr", "greeting", 0.9, **more)  # type: ignore[arg-type]


def plays(name: str, *passed: bool) -> list[ScenarioResult]:
    return [
        ScenarioResult(name, "a.yaml", [] if one else ["wrong"], trial=number)
        for number, one in enumerate(passed, 1)
    ]


def test_pass_power_is_the_share_of_draws_that_all_pass() -> None:
    outcomes = [True, True, True, False, True, False]
    for size in (1, 2, 3, 4):
        draws = list(combinations(outcomes, size))
        expected = sum(map(all, draws)) / len(draws)
        assert pass_power(plays("a", *outcomes), size) == pytest.approx(expected)


def test_pass_power_averages_over_tests() -> None:
    results = plays("a", True, True, True, True) + plays("b", True, True, False, False)
    assert pass_power(results, 1) == pytest.approx(0.75)
    assert pass_power(results, 4) == pytest.approx(0.5)


def test_pass_power_is_unknown_with_too_few_plays() -> None:
    assert pass_power(plays("a", True, True, True), 4) is None
    assert pass_power([], 1) is None


def test_only_differing_turns_are_reported() -> None:
    same = turn("bonjour", "Bonjour !")
    before = ScenarioResult("a", "f", [], [same, turn("corse ?", "149 €", sources=("Corse",))])
    after = ScenarioResult("a", "f", ["no"], [same, turn("corse ?", "39 €", sources=("Prix",))])
    found = compare("other", [before], [after])
    assert [(one.turn, one.what) for one in found.differences] == [(2, ("text", "sources"))]
    assert found.broken == [("f", "a")]
    assert found.fixed == []


def test_ticket_numbers_alone_are_no_difference() -> None:
    before = ScenarioResult("a", "f", [], [turn("oui", "TKT-2026-000001 est ouvert")])
    after = ScenarioResult("a", "f", [], [turn("oui", "TKT-2026-000007 est ouvert")])
    assert compare("other", [before], [after]).differences == []


def test_a_shorter_conversation_differs_where_it_ends() -> None:
    before = ScenarioResult("a", "f", [], [turn("a", "b"), turn("c", "d")])
    after = ScenarioResult("a", "f", [], [turn("a", "b")])
    difference = compare("other", [before], [after]).differences[0]
    assert (difference.turn, difference.what, difference.after) == (2, ("length",), None)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page_of(comparison: Comparison | None = None, *texts: str) -> _Tags:
    failed = ScenarioResult("</title><script>x", "f", ["<img src=x>"], [turn(*texts)])
    parser = _Tags()
    parser.feed(as_html(Report(MOMENT, 1, [failed], comparison)))
    return parser


def test_the_page_runs_nothing_and_loads_nothing() -> None:
    hostile = "</div><script>alert(1)</script>\x00<a href='javascript:x'>"
    answer = ScenarioResult("a", "f", [], [turn("<b>", hostile)])
    changed = ScenarioResult("a", "f", ["<i>"], [turn("<b>", "</style>")])
    comparison = compare("<svg onload=x>", [answer], [changed])
    page = page_of(comparison, hostile, hostile)
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "img", "a", "svg", "iframe", "b", "i", "link"}
    assert not any(name in given for _, given in page.tags for name in ("src", "href", "onload"))
    assert any("<script>alert(1)</script>" in text for text in page.texts)
    assert "\x00" not in "".join(page.texts)


def test_the_page_fits_a_phone_in_light_and_dark() -> None:
    page = page_of(None, "bonjour", "1\u202f299,00\xa0€")
    viewport = [given for tag, given in page.tags if given.get("name") == "viewport"]
    assert viewport[0]["content"] == "width=device-width, initial-scale=1"
    text = "".join(page.texts)
    assert "prefers-color-scheme: dark" in text
    assert "1\u202f299,00\xa0€" in text


@pytest.mark.parametrize("text", ["a: b", "scenarios: 5", "{{", "5", "other: []", "\x00"])
def test_what_is_no_test_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"test file|YAML|lists"):
        read_document(path)


def test_a_file_may_hold_both_kinds(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        "scenarios: [{name: a, turns: [{say: bonjour}]}]\n"
        "customers: [{name: b, words: {fr: {opens: [salut]}}, reached: {owner: waiting}}]\n",
        "utf-8",
    )
    assert [one.name for one in load_scenarios(path)] == ["a"]
    assert load_test_file(path).conversations == 1 + 8


def test_a_candidate_changes_settings_thresholds_and_phrases(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    path = tmp_path / "other.env"
    path.write_text("ANSWER_SCORE=0.7\nLLM_TIMEOUT_SECONDS=5\nPHRASES=mine\n", "utf-8")
    candidate = read_candidate(path)
    assert candidate.assistant_of(Assistant()).answer_score == 0.7
    assert candidate.settings == {"llm_timeout_seconds": 5.0}
    assert candidate.phrases == tmp_path / "mine"
    assert read_candidate(tmp_path / "mine").phrases == tmp_path / "mine"


@pytest.mark.parametrize(
    "line",
    ["DATABASE_URL=x", "FOO=1", "ANSWER_SCORE=high", "PHRASES=none", "LLM_TIMEOUT_SECONDS=x"],
)
def test_a_candidate_that_is_none_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "other.env"
    path.write_text(line + "\n", "utf-8")
    with pytest.raises(ValueError, match=line.split("=")[0].lower() + "|" + line.split("=")[0]):
        read_candidate(path)
