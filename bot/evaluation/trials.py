"""Playing every test of some files, several times where asked: how often does each one pass?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from math import comb, fsum
from pathlib import Path
from uuid import UUID

from bot.evaluation.customers import Customer, load_customers, run_customer
from bot.evaluation.scenarios import Scenario, ScenarioResult, load_scenarios, run_scenario
from core.errors import SupportError
from core.runtime import Runtime


@dataclass(frozen=True)
class TestFile:
    """The tests of one file, or of another collection with a name."""

    __test__ = False

    name: str
    scenarios: Sequence[Scenario] = ()
    customers: Sequence[Customer] = ()

    @property
    def conversations(self) -> int:
        return len(self.scenarios) + sum(len(customer.moods) for customer in self.customers)


def load_test_file(path: Path) -> TestFile:
    """Read a YAML file of tests; raises ValueError with the place of a mistake."""
    return TestFile(path.name, load_scenarios(path), load_customers(path))


async def play(
    runtime: Runtime, organization_id: UUID, file: TestFile, repeat: int = 1
) -> AsyncIterator[ScenarioResult]:
    """Play each test of a file `repeat` times, each time in a conversation of its own.

    A customer's words are chosen anew each time: the number of the trial is the seed.
    """
    for trial in range(1, repeat + 1):
        for scenario in file.scenarios:
            try:
                result = await run_scenario(runtime, organization_id, scenario, file.name)
            except SupportError as error:
                result = ScenarioResult(scenario.name, file.name, [error.message])
            yield replace(result, trial=trial)
        for customer in file.customers:
            for mood in customer.moods:
                result = await run_customer(
                    runtime, organization_id, customer, mood, trial, file.name
                )
                yield replace(result, trial=trial)


def pass_power(results: Sequence[ScenarioResult], trials: int) -> float | None:
    """pass^k: the probability that `trials` plays of a test all pass, averaged over the tests.

    The unbiased estimate is C(c,k)/C(n,k) for c passes in n plays (Yao et al., τ-bench, 2024).
    None where a test was played less often than that.
    """
    outcomes: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for result in results:
        outcomes[result.file, result.scenario].append(result.passed)
    if not outcomes or any(len(passed) < trials for passed in outcomes.values()):
        return None
    shares = [comb(sum(passed), trials) / comb(len(passed), trials) for passed in outcomes.values()]
    return fsum(shares) / len(shares)
