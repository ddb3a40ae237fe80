from __future__ import annotations

import math
from itertools import pairwise

import empyrical
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosim.core.metrics import interval_returns, lo_se, sharpe

YEAR = 252 * 6.5 * 3600


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(-50, 50)), max_size=25),
    st.integers(1, 7),
    st.integers(0, 12),
)
def test_returns_on_the_grid_equal_a_search_for_each_grid_time(steps, interval, wait):
    times = np.cumsum([gap for gap, _ in steps], dtype=np.int64)
    equity = np.array([value for _, value in steps], dtype=np.float64)
    end = (int(times[-1]) if steps else 0) + wait
    marks = [(0, 8.0), *zip(times.tolist(), equity.tolist(), strict=True)]
    on_grid = [max((t, v) for t, v in marks if t <= at)[1] for at in range(0, end + 1, interval)]
    expected = [(b - a) / 8.0 for a, b in pairwise(on_grid)]
    assert interval_returns(times, equity, 8.0, interval, end).tolist() == expected


@pytest.mark.parametrize("seed", range(5))
def test_sharpe_equals_empyrical(seed):
    returns = np.random.default_rng(seed).standard_t(4, 400) * 1e-3 + 1e-4
    found = sharpe(returns, YEAR)
    assert found.value == pytest.approx(empyrical.sharpe_ratio(returns, annualization=YEAR), rel=1e-12)
    assert found.n == 400
    assert found.reason == ""


def test_sharpe_of_the_returns_of_a_curve_equals_empyrical():
    rng = np.random.default_rng(7)
    times = np.cumsum(rng.exponential(150e6, 5000).astype(np.int64) + 1)
    equity = 10_000.0 + rng.normal(0.05, 1.0, 5000).cumsum()
    returns = interval_returns(times, equity, 10_000.0, 1_000_000_000, int(times[-1]))
    assert returns.size == times[-1] // 1_000_000_000
    assert sharpe(returns, YEAR).value == pytest.approx(
        empyrical.sharpe_ratio(returns, annualization=YEAR), rel=1e-12
    )


@pytest.mark.parametrize(
    ("per_period", "n", "expected"), [(0.5, 12, 0.306), (1.0, 60, 0.158), (1.5, 60, 0.188), (3.0, 24, 0.479)]
)
def test_standard_error_equals_the_table_of_the_paper(per_period, n, expected):
    assert lo_se(per_period, n) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(("per_period", "expected"), [(1.0, 0.158), (1.5, 0.188)])
def test_ratio_and_error_are_scaled_together(per_period, expected):
    noise = np.random.default_rng(3).normal(size=60)
    returns = (noise - noise.mean()) / noise.std(ddof=1) + per_period
    found = sharpe(returns, 12.0)
    assert found.value == pytest.approx(per_period * math.sqrt(12))
    assert found.se == pytest.approx(expected * math.sqrt(12), abs=5e-4 * math.sqrt(12))


def test_standard_error_is_the_spread_of_the_estimate():
    rng = np.random.default_rng(11)
    estimates = [sharpe(rng.normal(0.5, 1.0, 200), 1.0) for _ in range(2000)]
    spread = np.std([found.value for found in estimates])
    # the spread of a spread of 2,000 is 1.6 %
    assert np.mean([found.se for found in estimates]) == pytest.approx(spread, rel=0.05)


def test_returns_left_out_count_as_zero():
    returns = np.zeros(500)
    returns[::7] = np.random.default_rng(5).normal(0.1, 1.0, returns[::7].size)
    sparse, dense = sharpe(returns[::7], YEAR, count=500), sharpe(returns, YEAR)
    assert sparse.value == pytest.approx(dense.value, rel=1e-12)
    assert sparse.se == pytest.approx(dense.se, rel=1e-12)


@pytest.mark.parametrize(
    ("returns", "reason"),
    [
        (np.zeros(0), "0 returns"),
        (np.random.default_rng(0).normal(size=29), "29 returns"),
        (np.zeros(30), "do not vary"),
        (np.full(1000, 0.1), "do not vary"),
        (np.diff(10_000.0 + 0.1 * np.arange(100.0)) / 10_000.0, "do not vary"),
    ],
)
def test_undefined_ratio_says_why(returns, reason):
    found = sharpe(returns, YEAR)
    assert math.isnan(found.value)
    assert math.isnan(found.se)
    assert reason in found.reason
    assert found.n == returns.size


def test_thirty_returns_are_enough():
    assert math.isfinite(sharpe(np.random.default_rng(0).normal(size=30), YEAR).value)
