"""Row X04: conversation tests in YAML, simulated customers, pass^1 and pass^4, a gate for CI."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.e2e.commands import run_command
from tests.product import keep_models, reuse_models

CORSICA = "Combien coûte la livraison en Corse ?"
SCENARIOS = [
    {
        "name": "la Corse",
        "turns": [{"say": CORSICA, "expect": {"says": ["149 €"], "never": ["79 €"]}}],
    },
    {
        "name": "une promesse que la boutique ne fait pas",
        "turns": [{"say": CORSICA, "expect": {"says": ["livraison gratuite en Corse"]}}],
    },
]
CUSTOMER = {
    "name": "la livraison en Corse, demandée par deux humeurs",
    "intent": "delivery_question",
    "moods": ["polite", "terse"],
    "words": {"fr": {"opens": [CORSICA]}},
    "reached": {"says": ["149"]},
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop's data folder: the sample shop, made once for the module."""
    data_dir = tmp_path_factory.mktemp("x04") / "data"
    reuse_models(data_dir)
    made = run_command(data_dir, "seed", "--index")
    assert made.returncode == 0, made.stderr
    keep_models(data_dir)
    return data_dir


def test_x04_pass_1_and_pass_4_are_told_and_a_failure_closes_the_gate(shop: Path) -> None:
    file = shop / "tests.yaml"
    file.write_text(yaml.safe_dump(SCENARIOS, allow_unicode=True), "utf-8")
    page = shop / "report.html"
    done = run_command(shop, "eval", str(file), "--repeat", "4", "--html", str(page), "--json")
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    figures = json.dumps(told)
    assert '"pass_1": 0.5' in figures, figures[:400]
    assert '"pass_4": 0.5' in figures, figures[:400]
    html = page.read_text("utf-8")
    assert "une promesse que la boutique ne fait pas" in html
    assert "livraison gratuite en Corse" in html


def test_x04_simulated_customers_open_the_gate(shop: Path) -> None:
    file = shop / "customers.yaml"
    file.write_text(yaml.safe_dump({"customers": [CUSTOMER]}, allow_unicode=True), "utf-8")
    done = run_command(shop, "eval", str(file), "--json")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert '"pass_1": 1.0' in json.dumps(json.loads(done.stdout))


def test_x04_a_file_that_is_no_test_is_refused(shop: Path) -> None:
    file = shop / "broken.yaml"
    file.write_text("- name: sans tour\n", "utf-8")
    assert run_command(shop, "eval", str(file)).returncode == 2
