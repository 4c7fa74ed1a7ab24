"""Do the tools solve a retail desk's tasks, and refuse what its policy forbids?

    scripts/bench retail [--json]

Reads `tau2_retail` (database, policy and 74 tasks with their reference actions) from the folder
that `EVAL_DATA_DIR` names, else from `../shared/data`. Every action runs through `run_tool` on a
database of its own; the whole database is then compared with the expected one, which
`tests/retail/expected.py` works out from names and arguments. Then every task runs once more,
with everything tried before each change that the policy forbids. Exits 1 where a task or a
refusal fails, 2 without data.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.retail.desk import Desk, copied, new_conversation, open_desk  # noqa: E402
from tests.retail.expected import expect  # noqa: E402
from tests.retail.forbidden import attempts, refuse, repeated  # noqa: E402
from tests.retail.replay import Outcome, Task, compare, read_task, replay  # noqa: E402
from tests.retail.store import State  # noqa: E402

FILES = ("db.json", "train_tasks.json", "policy.md")
SHOWN_PROBLEMS = 20


@dataclass
class Report:
    """Tasks by kind, refusals by rule, and what an action costs."""

    tasks: Counter[str] = field(default_factory=Counter)
    solved: Counter[str] = field(default_factory=Counter)
    actions: int = 0
    refused_as_expected: list[str] = field(default_factory=list)
    cpu_seconds: float = 0.0
    attempts: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    state_hashes: list[str] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """One digest of every database as its task left it."""
        return hashlib.sha256("".join(self.state_hashes).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        return {
            "tasks": self.tasks.total(),
            "solved": self.solved.total(),
            "kinds": {kind: [self.solved[kind], count] for kind, count in self.tasks.items()},
            "actions": self.actions,
            "actions_refused_as_expected": self.refused_as_expected,
            "cpu_ms_an_action": round(self.cpu_milliseconds, 2),
            "forbidden": self.attempts.total(),
            "refused": self.refused.total(),
            "rules": {rule: [self.refused[rule], n] for rule, n in self.attempts.items()},
            "problems": self.problems,
            "digest": self.digest,
        }

    @property
    def cpu_milliseconds(self) -> float:
        return 1000 * self.cpu_seconds / max(self.actions, 1)


def data_folder() -> Path:
    """Where the data set lies; raises FileNotFoundError where a file is missing."""
    given = os.environ.get("EVAL_DATA_DIR")
    folder = (Path(given) if given else ROOT.parent / "shared" / "data") / "tau2_retail"
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(f"no {', '.join(missing)} in {folder}: set EVAL_DATA_DIR")
    return folder


async def solve(desk: Desk, state: State, task: Task, report: Report) -> None:
    """Replay a task and count it."""
    await desk.load(state)
    rows = await desk.audit_rows()
    outcome = await replay(desk, state, task)
    report.cpu_seconds += outcome.cpu_seconds
    count = len(task.sign_in) + len(task.actions)
    if await desk.audit_rows() != rows + count:
        outcome.problems.append("not every action left its audit row")
    report.actions += count
    report.tasks[task.kind] += 1
    report.solved[task.kind] += not outcome.problems
    report.state_hashes.append(outcome.state_hash)
    report.refused_as_expected += [f"task {task.id}: {refusal}" for refusal in outcome.refused]
    report.problems += [f"task {task.id}: {problem}" for problem in outcome.problems]


async def provoke(desk: Desk, state: State, task: Task, report: Report) -> None:
    """Replay a task among forbidden attempts; these must leave nothing."""
    await desk.load(state)
    after, outcome, conversation_id = copied(state), Outcome(), new_conversation()
    user_id = ""
    for action in (*task.sign_in, *task.actions):
        before = list(attempts(after, action, user_id)) if user_id else []
        wanted = expect(after, action.name, action.arguments)
        if wanted.refused:
            continue
        if action.name.startswith("find_user_id_by_"):
            user_id = wanted.answer["user_id"]
        for attempt in before:
            _count(report, attempt.rule, await refuse(desk, conversation_id, attempt))
        await desk.act(conversation_id, action.name, action.arguments)
        for attempt in repeated(action):
            _count(report, attempt.rule, await refuse(desk, conversation_id, attempt))
    await compare(desk, after, outcome)
    report.problems += [f"task {task.id}, provoked: {problem}" for problem in outcome.problems]


def _count(report: Report, rule: str, problem: str | None) -> None:
    report.attempts[rule] += 1
    report.refused[rule] += problem is None
    if problem is not None:
        report.problems.append(problem)


async def measure(state: State, tasks: Sequence[Task]) -> Report:
    """Replay every task, then provoke every one."""
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        async with open_desk(Path(folder)) as desk:
            for task in tasks:
                await solve(desk, state, task, report)
            for task in tasks:
                await provoke(desk, state, task, report)
    return report


def show(report: Report) -> None:
    """Print the report as two tables."""
    print(f"{'tasks by what they change':<48}solved")
    for kind, count in sorted(report.tasks.items()):
        print(f"  {kind:<46}{report.solved[kind]:>4} of {count}")
    print(f"  {'all':<46}{report.solved.total():>4} of {report.tasks.total()}")
    print(f"\n{'forbidden by the policy':<48}refused")
    for rule, count in sorted(report.attempts.items()):
        print(f"  {rule:<46}{report.refused[rule]:>4} of {count}")
    print(f"  {'all':<46}{report.refused.total():>4} of {report.attempts.total()}")
    print(f"\n{report.actions} actions, {report.cpu_milliseconds:.1f} ms of CPU an action")
    print(f"digest of the databases afterwards: {report.digest[:16]}")
    print(f"reference actions that are refused, as expected: {len(report.refused_as_expected)}")
    for refusal in report.refused_as_expected:
        print(f"  {refusal}")
    for problem in report.problems[:SHOWN_PROBLEMS]:
        print(f"PROBLEM {problem}")


def main() -> int:
    """Print the figures; 1 where something went wrong, 2 without data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    as_json = parser.parse_args().json
    try:
        folder = data_folder()
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    state = json.loads((folder / "db.json").read_text(encoding="utf-8"))
    raw_tasks = json.loads((folder / "train_tasks.json").read_text(encoding="utf-8"))
    report = asyncio.run(measure(state, [read_task(raw) for raw in raw_tasks]))
    if as_json:
        print(json.dumps(report.as_json()))
    else:
        show(report)
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
