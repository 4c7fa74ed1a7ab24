"""How well does the intent model that serves do on public sets, beside a linear baseline?"""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass

import numpy as np

from bot.understanding.intents import OUT_OF_SCOPE, IntentModel, train
from scripts.benchmarks.data import IntentSet, Labelled
from scripts.benchmarks.figures import (
    Flags,
    Numbers,
    area_under_curve,
    calibration_error,
    paired_test,
    reliability,
    resampled_error,
    risk_coverage,
    share,
)

COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5)
# (goal, what it is held against) by set and figure.
GOALS = {
    ("Banking77", "accuracy"): 0.935,
    ("HWU64", "accuracy"): 0.91,
    ("HWU64, 10 a class", "accuracy"): 0.81,
    ("CLINC150", "in scope"): 0.92,
    ("CLINC150", "out-of-scope recall"): 0.85,
    ("HINT3 health shop", "accuracy"): 0.78,
    ("HINT3 health shop", "AUROC"): 0.86,
}
OTHERS = {
    "Banking77": "DistilBERT .925-.930; fused linear SVM .933",
    "HWU64": "fused SVM .905",
    "HWU64, 10 a class": "ICDA .874; fused SVM .797",
    "CLINC150": "in scope / recall: BERT .962 / .523; Rasa .909 / .660; logistic .866 / .906",
    "HINT3 health shop": "accuracy / in scope / AUROC: BERT .760 / .836 / .824; "
    "fused .780 / .865 / .855",
}


@dataclass(frozen=True)
class Judged:
    """What the model said of each test message.

    `best` is its likeliest label, `answered` its intent or `out_of_scope`.
    """

    inside: Flags
    best_right: Flags
    answered_right: Flags
    refused: Flags
    confidence: Numbers
    familiarity: Numbers
    train_seconds: float
    train_cpu_seconds: float
    cpu_milliseconds: float


def judge(data: IntentSet) -> Judged:
    """Train on one half through the product's door and read the other."""
    started, cpu = time.perf_counter(), time.process_time()
    model = train(data.train)
    spent = time.perf_counter() - started, time.process_time() - cpu
    found = read(model, data.test, spent)
    del model
    gc.collect()
    return found


def read(model: IntentModel, test: Labelled, spent: tuple[float, float]) -> Judged:
    model.predict("warm up: which encoder is asked when in doubt?")
    cpu = time.process_time()
    said = [model.predict(text) for text, _ in test]
    cpu = time.process_time() - cpu
    labels = [label for _, label in test]
    pairs = list(zip(said, labels, strict=True))
    return Judged(
        inside=np.array([label != OUT_OF_SCOPE for label in labels]),
        best_right=np.array([one.ranking[0][0] == label for one, label in pairs]),
        answered_right=np.array([(one.intent or OUT_OF_SCOPE) == label for one, label in pairs]),
        refused=np.array([one.intent is None for one in said]),
        confidence=np.array([one.confidence for one in said]),
        familiarity=np.array([one.familiarity for one in said]),
        train_seconds=spent[0],
        train_cpu_seconds=spent[1],
        cpu_milliseconds=1000 * cpu / len(test),
    )


def baseline(data: IntentSet) -> Flags:
    """Judge TF-IDF (words, pairs, letter groups) and a linear SVM on the same test messages."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    pipeline = make_pipeline(make_union(words, letters), LinearSVC())
    pipeline.fit([text for text, _ in data.train], [label for _, label in data.train])
    said = pipeline.predict([text for text, _ in data.test])
    return np.array([one == label for one, (_, label) in zip(said, data.test, strict=True)])


def rows(data: IntentSet, found: Judged, linear: Flags) -> list[tuple[str, ...]]:
    """Return table rows: figure, ours, error, goal, TF-IDF + SVM, p, others."""
    inside = found.inside
    table: list[tuple[str, ...]] = []

    def add(figure: str, value: float, error: float, theirs: str = "", p: str = "") -> None:
        goal = GOALS.get((data.name, figure))
        met = "" if goal is None else f"{goal:.3f} {'met' if value >= goal else 'MISSED'}"
        table.append((data.name, figure, f"{value:.4f}", f"{error:.4f}", met, theirs, p))

    figure = "in scope" if data.open_world else "accuracy"
    p = paired_test(found.best_right[inside], linear[inside])
    add(figure, *share(found.best_right[inside]), f"{linear[inside].mean():.4f}", f"{p:.2g}")
    if not data.open_world:
        add("with refusals", *share(found.answered_right))
    else:
        add("accuracy", *share(_best_cut(found)))
        add("accuracy, own threshold", *share(found.answered_right))
        add("in scope, with refusals", *share(found.answered_right[inside]))
        add("out-of-scope recall", *share(found.refused[~inside]))
        for name, score in (
            ("AUROC", found.familiarity),
            ("AUROC of confidence", found.confidence),
        ):
            add(name, _area(score, inside), _area_error(score, inside))
    confidence, right = found.confidence[inside], found.best_right[inside]
    error = resampled_error(
        lambda rows: calibration_error(confidence[rows], right[rows]), len(right)
    )
    add("calibration error", calibration_error(confidence, right), error)
    return table


def _best_cut(found: Judged) -> Flags:
    """Judge all messages at the one familiarity that suits these best, as the others were."""
    cuts = np.quantile(found.familiarity, np.linspace(0, 1, 201))
    judged = [
        np.where(found.familiarity >= cut, found.inside & found.best_right, ~found.inside)
        for cut in cuts
    ]
    return max(judged, key=lambda right: float(right.mean()))


def _area(score: Numbers, inside: Flags) -> float:
    return area_under_curve(score[inside], score[~inside])


def _area_error(score: Numbers, inside: Flags) -> float:
    return resampled_error(lambda rows: _area(score[rows], inside[rows]), len(inside))


def curves(found: Judged) -> list[str]:
    """Describe the confidence: bins against the truth, and the risk at each coverage.

    Bins hold the messages of known intents; the risk counts every message, and an answer to one
    that belongs to no intent is wrong.
    """
    inside = found.inside
    lines = ["  confidence  messages  mean  right"]
    for low, count, mean, rate in reliability(found.confidence[inside], found.best_right[inside]):
        bar = "#" * round(rate * 30)
        lines.append(f"  {low:.1f}-{low + 0.1:.1f} {count:12d} {mean:6.2f} {rate:6.2f}  {bar}")
    risks = risk_coverage(found.confidence, found.best_right, COVERAGES)
    alone = risk_coverage(found.confidence[inside], found.best_right[inside], COVERAGES)
    lines.append("  coverage    " + "  ".join(f"{kept:5.0%}" for kept, _ in risks))
    lines.append("  risk, all   " + "  ".join(f"{risk:5.3f}" for _, risk in risks))
    lines.append("  risk, known " + "  ".join(f"{risk:5.3f}" for _, risk in alone))
    return lines
