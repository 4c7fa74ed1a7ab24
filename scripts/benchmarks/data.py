"""Where is the evaluation data that nobody here wrote, and what do its files say?

The folder is `EVAL_DATA_DIR`, or `../shared/data` beside the checkout; none of it is committed.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.understanding.intents import OUT_OF_SCOPE

ROOT = Path(__file__).resolve().parents[2]
UNANSWERABLE = "NO_NODES_DETECTED"

Labelled = list[tuple[str, str]]


class DataMissing(Exception):
    """The evaluation data is not there; the message says where it was looked for."""


@dataclass(frozen=True)
class IntentSet:
    """Messages to learn from and messages to be judged on.

    Where `open_world`, some test messages belong to no intent (`out_of_scope`).
    """

    name: str
    train: Labelled
    test: Labelled
    open_world: bool = False


def folder(name: str) -> Path:
    """Return one data set's folder; raise DataMissing where it is not."""
    base = Path(os.environ.get("EVAL_DATA_DIR") or ROOT.parent / "shared" / "data")
    found = base / name
    if not found.is_dir():
        raise DataMissing(f"no evaluation data in {found}: set EVAL_DATA_DIR to its folder")
    return found


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8-sig"))


def _csv(path: Path, text: str, label: str) -> Labelled:
    with path.open(encoding="utf-8", newline="") as file:
        return [(row[text], row[label]) for row in csv.DictReader(file)]


def _banking77() -> IntentSet:
    base = folder("banking77")
    train, test = (_csv(base / f"{half}.csv", "text", "category") for half in ("train", "test"))
    return IntentSet("Banking77", train, test)


def _hwu64(name: str, part: str) -> IntentSet:
    def half(which: str) -> Labelled:
        texts, labels = (
            (folder("hwu64") / which / file).read_text(encoding="utf-8").splitlines()
            for file in ("seq.in", "label")
        )
        return list(zip(texts, labels, strict=True))

    return IntentSet(name, half(part), half("test"))


def _clinc150() -> IntentSet:
    content = read_json(folder("clinc150") / "train_val.json")

    def half(inside: str, outside: str) -> Labelled:
        known = [(text, label) for text, label in content[inside]]
        return known + [(text, OUT_OF_SCOPE) for text, _ in content[outside]]

    train, test = half("train", "oos_train"), half("val", "oos_val")
    return IntentSet("CLINC150", train, test, open_world=True)


def _hint3(name: str, shop: str) -> IntentSet:
    base = folder("hint3")
    train = _csv(base / f"{shop}_train.csv", "sentence", "label")
    test = _csv(base / f"{shop}_test.csv", "sentence", "label")
    renamed = [(text, OUT_OF_SCOPE if label == UNANSWERABLE else label) for text, label in test]
    known = [(text, label) for text, label in train if label != UNANSWERABLE]
    return IntentSet(name, known, renamed, open_world=True)


INTENT_SETS: dict[str, Callable[[], IntentSet]] = {
    "banking77": _banking77,
    "hwu64": lambda: _hwu64("HWU64", "train"),
    "hwu64-10": lambda: _hwu64("HWU64, 10 a class", "train_10"),
    "clinc150": _clinc150,
    "hint3": lambda: _hint3("HINT3 health shop", "curekart"),
}
