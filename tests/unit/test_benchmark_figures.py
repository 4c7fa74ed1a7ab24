"""The figures that benchmarks print are what their names say."""

from pathlib import Path

import numpy as np
import pytest

from scripts.benchmarks.data import INTENT_SETS, DataMissing
from scripts.benchmarks.figures import (
    area_under_curve,
    calibration_error,
    paired_test,
    risk_coverage,
    share,
)
from scripts.benchmarks.products import gain_at


def test_that_a_share_has_its_binomial_error() -> None:
    assert share(np.array([True, True, True, False])) == pytest.approx((0.75, 0.2165), abs=1e-3)
    assert share(np.zeros(0, dtype=bool)) == (0.0, 0.0)


def test_that_the_area_counts_pairs_and_halves_ties() -> None:
    assert area_under_curve(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1.0
    assert area_under_curve(np.array([1.0]), np.array([1.0, 0.0])) == 0.75


def test_that_an_honest_confidence_has_no_calibration_error() -> None:
    right = np.arange(100) < 80
    assert calibration_error(np.full(100, 0.8), right) == pytest.approx(0.0, abs=1e-9)
    assert calibration_error(np.full(100, 0.95), right) == pytest.approx(0.15)


def test_that_risk_falls_when_the_unsure_are_left_out() -> None:
    confidence, right = np.array([0.9, 0.8, 0.2, 0.1]), np.array([True, True, False, False])
    assert risk_coverage(confidence, right, (1.0, 0.5)) == [(1.0, 0.5), (0.5, 0.0)]


def test_that_only_messages_judged_differently_count_in_the_paired_test() -> None:
    same = np.ones(50, dtype=bool)
    assert paired_test(same, same) == 1.0
    worse = same.copy()
    worse[:10] = False
    assert paired_test(same, worse) == pytest.approx(2 * 0.5**10)


def test_that_gain_is_one_for_the_best_order_and_less_for_another() -> None:
    grades = {"A": 3, "B": 1}
    assert gain_at(10, ["A", "B", "C"], grades) == pytest.approx(1.0)
    assert 0.5 < gain_at(10, ["B", "A"], grades) < 1.0
    assert gain_at(10, ["C"], grades) == 0.0


@pytest.mark.parametrize("name", sorted(INTENT_SETS))
def test_that_missing_data_is_said(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVAL_DATA_DIR", str(tmp_path))
    with pytest.raises(DataMissing, match="EVAL_DATA_DIR"):
        INTENT_SETS[name]()
