"""How well are messages understood, on data that nobody here wrote, and beside what others reach?

    scripts/bench understanding [--only banking77,hwu64,hwu64-10,clinc150,hint3,entities]

The pair that serves is the pair that is measured: `bot.understanding.intents.train` with no
settings of a set's own, and
`bot.understanding.entities.numbers_and_dates`. The linear baseline is trained in the same run and
compared message by message. Exits with 1 where the data is missing (EVAL_DATA_DIR).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from datetime import UTC, datetime

import numpy as np

from scripts.benchmarks import understanding_entities, understanding_intents
from scripts.benchmarks.data import INTENT_SETS, ROOT, DataMissing
from scripts.benchmarks.figures import share

CURVES = ("clinc150", "hint3")
HEADER = ("set", "figure", "ours", "s.e.", "goal", "TF-IDF+SVM", "p")
WIDTHS = (18, 24, 8, 8, 14, 11, 8)


def line(cells: tuple[str, ...]) -> str:
    return " ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def intents(name: str) -> None:
    """Measure one set and print its rows."""
    data = INTENT_SETS[name]()
    found = understanding_intents.judge(data)
    for cells in understanding_intents.rows(data, found, understanding_intents.baseline(data)):
        print(line(cells))
    print(
        f"  {len(data.train)} phrases learned in {found.train_seconds:.0f} s "
        f"({found.train_cpu_seconds:.0f} s of CPU), "
        f"{len(data.test)} messages read at {found.cpu_milliseconds:.1f} ms of CPU each; "
        f"others: {understanding_intents.OTHERS[data.name]}"
    )
    if name in CURVES:
        print("\n".join(understanding_intents.curves(found)))
    sys.stdout.flush()


def entities() -> None:
    """Measure French quantities and print a row for each kind."""
    for kind, right in understanding_entities.judge().items():
        value, error = share(np.array(right))
        goal = understanding_entities.GOALS[kind]
        met = "" if goal is None else f"{goal:.3f} {'met' if value >= goal else 'MISSED'}"
        cells = ("Recognizers, French", f"{kind} ({len(right)})", f"{value:.4f}", f"{error:.4f}")
        print(line((*cells, met, "", "")))


def commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    )
    return done.stdout.strip() or "no commit"


def main() -> int:
    every = [*INTENT_SETS, "entities"]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", default=",".join(every), help="sets, separated by commas")
    chosen = parser.parse_args().only.split(",")
    unknown = [name for name in chosen if name not in every]
    if unknown:
        parser.error(f"unknown sets {', '.join(unknown)}: choose from {', '.join(every)}")
    print(f"{datetime.now(UTC):%Y-%m-%d}, commit {commit()}")
    print(line(HEADER))
    try:
        for name in chosen:
            entities() if name == "entities" else intents(name)
    except DataMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
