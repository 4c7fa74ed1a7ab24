"""Does the benchmark count what is solved, find what is wrong, and say when it has no data?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.errors import NotFound
from tests.retail import policy
from tests.retail.conftest import SMALL_SHOP, Counter
from tests.retail.replay import Action, Task, read_task, replay

BENCHMARK = Path(__file__).resolve().parents[2] / "scripts" / "benchmarks" / "retail.py"
CANCEL = Action("cancel_pending_order", {"order_id": "#W4", "reason": "no longer needed"})
ASK = Action("find_user_id_by_email", {"email": "ben.cole@example.com"})


def raw_task(task_id: str, known: str, *actions: Action) -> dict[str, Any]:
    """A task as the data set writes it."""
    calls = [{"name": action.name, "arguments": action.arguments} for action in actions]
    return {
        "id": task_id,
        "user_scenario": {"instructions": {"known_info": known}},
        "evaluation_criteria": {"actions": calls},
    }


def run_benchmark(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCHMARK), "--json"],
        env={**os.environ, "EVAL_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_that_it_says_that_there_is_no_data(tmp_path: Path) -> None:
    run = run_benchmark(tmp_path)
    assert run.returncode == 2
    assert "db.json" in run.stderr
    assert run.stdout == ""


def test_that_it_solves_and_provokes(tmp_path: Path) -> None:
    folder = tmp_path / "tau2_retail"
    folder.mkdir()
    folder.joinpath("db.json").write_text(SMALL_SHOP.read_text("utf-8"), "utf-8")
    folder.joinpath("policy.md").write_text("# Policy\n", "utf-8")
    lost = Action("get_order_details", {"order_id": "#W99"})
    tasks = [raw_task("0", "", ASK, lost, CANCEL), raw_task("1", "")]
    folder.joinpath("train_tasks.json").write_text(json.dumps(tasks), "utf-8")
    run = run_benchmark(tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    report = json.loads(run.stdout)
    assert report["kinds"] == {"cancel": [1, 1], "nothing to change": [1, 1]}
    assert report["actions"] == 3
    assert len(report["actions_refused_as_expected"]) == 1
    assert report["refused"] == report["forbidden"] > 5


@pytest.mark.parametrize(
    ("known", "name", "arguments"),
    [
        ("You are Ben Cole in 80202.", "name_zip", ("Ben", "Cole", "80202")),
        ("Your name is Ben Cole and your email is b@example.com.", "email", ("b@example.com",)),
    ],
)
def test_that_a_task_without_a_look_up_begins_with_one(
    known: str, name: str, arguments: tuple[str, ...]
) -> None:
    sign_in = read_task(raw_task("0", known, CANCEL)).sign_in
    assert [action.name for action in sign_in] == [f"find_user_id_by_{name}"]
    assert tuple(sign_in[0].arguments.values()) == arguments
    assert read_task(raw_task("0", known, ASK, CANCEL)).sign_in == ()
    with pytest.raises(ValueError, match="nobody"):
        read_task(raw_task("0", "You have lost everything.", CANCEL))


def test_that_a_tool_that_does_less_is_found_out(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "settle", lambda method, amount: None)
    outcome = counter.call(replay(counter.desk, counter.before, Task("0", (ASK, CANCEL))))
    balance = "ben_cole_2/payment_methods/gift_card_2/balance: expected 650.0, found 500.0"
    assert outcome.problems == [f"/users/{balance}"]


def test_that_a_refusal_that_nobody_expects_is_found_out(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise NotFound("The customer has no such order.")

    monkeypatch.setattr(policy, "require_status", refuse)
    outcome = counter.call(replay(counter.desk, counter.before, Task("0", (ASK, CANCEL))))
    assert outcome.problems[0] == f"{CANCEL.name} was refused: The customer has no such order."


def test_that_an_action_that_must_be_refused_and_is_not_is_found_out(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "require_balance", lambda method, amount: None)
    name = {"email": "anna.berg@example.com"}
    poor = {
        "order_id": "#W2",
        "item_ids": ["3001"],
        "new_item_ids": ["3003"],
        "payment_method_id": "gift_card_1",
    }
    task = Task(
        "0",
        (Action("find_user_id_by_email", name), Action("exchange_delivered_order_items", poor)),
    )
    outcome = counter.call(replay(counter.desk, counter.before, task))
    assert outcome.problems[0] == "exchange_delivered_order_items was not refused"
