from __future__ import annotations

import math

import empyrical
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosim.core.metrics import drawdown, drawdown_series

SECOND = 1_000_000_000


def curve(*values):
    """A value a second, from second 1 on."""
    equity = np.array(values, dtype=np.float64)
    return np.arange(1, equity.size + 1, dtype=np.int64) * SECOND, equity


def by_definition(equity, initial):
    """Every point against every earlier one."""
    points = [initial, *equity]
    peaks = [max(points[: i + 1]) for i in range(len(points))]
    currency = [peak - value for peak, value in zip(peaks, points, strict=True)]
    fractions = [d / peak for d, peak in zip(currency, peaks, strict=True) if peak > 0]
    return max(fractions, default=math.nan), max(currency)


def longest_by_definition(seconds, equity, initial, end):
    """From each peak that is left, to the first point that is as high again, or to the end."""
    points = [(0, initial), *zip(seconds, equity, strict=True)]
    durations = [0]
    for i, (since, value) in enumerate(points[:-1]):
        if value == max(v for _, v in points[: i + 1]) and points[i + 1][1] < value:
            back = (when for when, v in points[i + 1 :] if v >= value)
            durations.append(next(back, end) - since)
    return max(durations)


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(-6, 12)), max_size=25),
    st.integers(-2, 6),
    st.integers(0, 5),
)
def test_equals_brute_force(steps, initial, wait):
    seconds = np.cumsum([gap for gap, _ in steps], dtype=np.int64)
    equity = np.array([value for _, value in steps], dtype=np.float64)
    end = (int(seconds[-1]) if steps else 0) + wait
    found = drawdown(seconds * SECOND, equity, float(initial), end * SECOND)
    fraction, currency = by_definition(equity.tolist(), float(initial))
    assert found.max_fraction == pytest.approx(fraction, nan_ok=True)
    assert found.max_currency == currency
    assert found.duration_s == longest_by_definition(seconds.tolist(), equity.tolist(), initial, end)


@pytest.mark.parametrize("seed", range(5))
def test_fraction_equals_empyrical(seed):
    returns = np.random.default_rng(seed).normal(0.0, 0.02, 500)
    times, equity = curve(*10_000.0 * np.cumprod(1.0 + returns))
    found = drawdown(times, equity, 10_000.0, int(times[-1]))
    assert found.max_fraction == pytest.approx(-empyrical.max_drawdown(returns), rel=1e-9)


def test_driftless_brownian_motion_draws_down_as_theory_says():
    # E[max drawdown] = sqrt(pi / 2) sigma sqrt(T) in continuous time (Magdon-Ismail et al. 2004). Seen n
    # times, maximum and trough both miss 0.5826 sigma sqrt(T / n) (Broadie, Glasserman and Kou 1997).
    n, paths = 250, 4000
    steps = np.random.default_rng(1).normal(0.0, 1.0 / math.sqrt(n), (paths, n))
    times, _ = curve(*np.zeros(n))
    found = [drawdown(times, path, 100.0, n * SECOND).max_currency for path in 100.0 + steps.cumsum(axis=1)]
    expected = math.sqrt(math.pi / 2) - 2 * 0.5826 / math.sqrt(n)
    error = np.std(found) / math.sqrt(paths)
    assert np.mean(found) == pytest.approx(expected, abs=3 * error)
    assert 3 * error < 0.5 * (math.sqrt(math.pi / 2) - expected)


def test_series_runs_below_its_peak():
    fraction, currency = drawdown_series(np.array([9.0, 12.0, 6.0, 12.0, 15.0, -3.0]), 10.0)
    assert currency.tolist() == [1.0, 0.0, 6.0, 0.0, 0.0, 18.0]
    assert fraction.tolist() == [0.1, 0.0, 0.5, 0.0, 0.0, 1.2]


def test_fraction_is_undefined_where_the_peak_is_not_positive():
    fraction, currency = drawdown_series(np.array([-5.0, 0.0, 4.0, 1.0]), -1.0)
    assert np.isnan(fraction[:2]).all()
    assert fraction[2:].tolist() == [0.0, 0.75]
    assert currency.tolist() == [4.0, 0.0, 0.0, 3.0]
    times, equity = curve(-5.0, 0.0, 4.0, 1.0)
    assert drawdown(times, equity, -1.0, 4 * SECOND) == (0.75, 4.0, 2.0)
    assert math.isnan(drawdown(times[:2], equity[:2], -1.0, 2 * SECOND).max_fraction)


def test_duration_runs_from_the_peak_to_recovery_or_the_end():
    times, equity = curve(10.0, 12.0, 12.0, 11.0, 8.0, 12.0, 11.0)
    assert drawdown(times, equity, 10.0, 7 * SECOND).duration_s == 3.0
    assert drawdown(times, equity, 10.0, 60 * SECOND).duration_s == 54.0


def test_curve_without_points():
    empty = np.zeros(0)
    assert drawdown(empty.astype(np.int64), empty, 10.0, SECOND) == (0.0, 0.0, 0.0)
    assert math.isnan(drawdown(empty.astype(np.int64), empty, 0.0, SECOND).max_fraction)
