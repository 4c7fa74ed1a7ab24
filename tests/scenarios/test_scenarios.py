"""Every scripted conversation in this folder, played on the running product."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.evaluation.scenarios import Scenario, load_scenarios, run_scenario
from bot.understanding.intents import load_examples
from bot.understanding.understand import PHRASES
from tests.product import OpenProduct

FOLDER = Path(__file__).parent
SCENARIOS = [
    pytest.param(path.name, scenario, id=f"{path.stem}: {scenario.name}")
    for path in sorted(FOLDER.glob("*.yaml"))
    for scenario in load_scenarios(path)
]
SHORT_PHRASE_WORDS = 3


@pytest.mark.parametrize(("file", "scenario"), SCENARIOS)
def test_that_the_conversation_goes_as_written(
    file: str, scenario: Scenario, product: OpenProduct
) -> None:
    result = product.call(run_scenario(product.runtime, product.organization_id, scenario, file))
    assert not result.failures, "\n".join([*result.failures, *map(str, result.transcript)])


def test_that_there_are_enough_conversations() -> None:
    assert len(SCENARIOS) >= 40


def test_that_no_conversation_repeats_a_training_phrase() -> None:
    """A phrase that was learnt by heart proves nothing; courtesies of a word or two are free."""
    learnt = {phrase.casefold().strip(" ?!.") for phrase, _ in load_examples([PHRASES])}
    repeated = [
        turn.say
        for scenario in (param.values[1] for param in SCENARIOS)
        for turn in scenario.turns
        if len(turn.say.split()) > SHORT_PHRASE_WORDS
        and turn.say.casefold().strip(" ?!.") in learnt
    ]
    assert not repeated
