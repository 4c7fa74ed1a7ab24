"""How large is a difference, how sure is a figure, and is a confidence worth its name?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest  # type: ignore[import-untyped]

BINS = 10
RESAMPLED = 400

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


def share(right: Flags) -> tuple[float, float]:
    """Return a share and its standard error."""
    mean = float(np.mean(right)) if len(right) else 0.0
    return mean, float(np.sqrt(mean * (1 - mean) / max(len(right), 1)))


def resampled_error(figure: Callable[[NDArray[np.intp]], float], count: int) -> float:
    """Return the bootstrap standard error of a figure of some rows out of `count`."""
    chance = np.random.default_rng(0)
    drawn = [figure(chance.integers(0, count, count)) for _ in range(RESAMPLED)]
    return float(np.std(drawn))


def area_under_curve(inside: Numbers, outside: Numbers) -> float:
    """Return how often a message of a known intent scores higher than one of none."""
    order = np.sort(outside)
    below = np.searchsorted(order, inside, "left")
    same = np.searchsorted(order, inside, "right") - below
    return float((below + same / 2).sum() / max(len(inside) * len(outside), 1))


def calibration_error(confidence: Numbers, right: Flags) -> float:
    """Return the expected calibration error over ten equal bins."""
    rows = reliability(confidence, right)
    return sum(count * abs(mean - rate) for _, count, mean, rate in rows) / max(len(right), 1)


def reliability(confidence: Numbers, right: Flags) -> list[tuple[float, int, float, float]]:
    """Return (lower bound, messages, mean confidence, share right) of each bin in use."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [
        (
            row / BINS,
            int((bins == row).sum()),
            float(confidence[bins == row].mean()),
            float(right[bins == row].mean()),
        )
        for row in np.unique(bins)
    ]


def risk_coverage(
    confidence: Numbers, right: Flags, shares: Sequence[float]
) -> list[tuple[float, float]]:
    """Return, for each share of messages kept (the most confident), the share answered wrongly."""
    order = np.argsort(-confidence, kind="stable")
    wrong = ~right[order]
    return [(kept, float(wrong[: max(1, round(kept * len(wrong)))].mean())) for kept in shares]


def paired_test(ours: Flags, theirs: Flags) -> float:
    """Return the exact McNemar p-value of two judgements of the same messages."""
    only_ours, only_theirs = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    if not only_ours + only_theirs:
        return 1.0
    return float(binomtest(only_ours, only_ours + only_theirs).pvalue)
