"""Simulated customers of this folder: how many of them reach their goal?"""

from __future__ import annotations

from pathlib import Path

from bot.evaluation.scenarios import ScenarioResult
from bot.evaluation.trials import load_test_file, pass_power, play
from bot.evaluation.wording import MOODS
from tests.product import OpenProduct

FILE = load_test_file(Path(__file__).parent / "customers.yaml")
LEAST_PASS_1 = 0.95
LONGEST_MEAN_TURNS = 4.0


def test_that_there_are_enough_goals_and_moods() -> None:
    assert len(FILE.customers) >= 12
    assert len(MOODS) == 8
    assert all(tuple(customer.moods) == MOODS for customer in FILE.customers)
    assert all(len(customer.words) > 1 for customer in FILE.customers)


def test_that_customers_reach_their_goals(product: OpenProduct) -> None:
    async def played() -> list[ScenarioResult]:
        return [result async for result in play(product.runtime, product.organization_id, FILE)]

    results = product.call(played())
    assert len(results) == FILE.conversations
    turns = sum(len(result.turns) for result in results) / len(results)
    pass_1 = pass_power(results, 1)
    assert pass_1 is not None
    shown = [
        "\n".join([result.scenario, *result.failures, *map(str, result.transcript)])
        for result in results
        if not result.passed
    ]
    figures = f"pass^1 {pass_1:.3f}, {turns:.1f} turns each"
    assert pass_1 >= LEAST_PASS_1, "\n\n".join([figures, *shown])
    assert turns <= LONGEST_MEAN_TURNS, figures
