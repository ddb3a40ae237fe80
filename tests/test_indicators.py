"""Indicators against exact arithmetic, pandas, brute force and numbers worked by hand."""

from __future__ import annotations

import copy
import math
import pickle
import statistics
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosim.core.indicators import (
    EMA,
    MAX_MADE,
    RSI,
    SMA,
    STD,
    Bands,
    Bollinger,
    Indicators,
    Max,
    Min,
    ZScore,
)
from algosim.errors import ConfigError

ALL = [SMA, EMA, STD, ZScore, RSI, Bollinger, Min, Max]
UNIT = 2.0**-53

some_prices = st.lists(
    st.one_of(
        st.floats(0.01, 1000.0),
        st.floats(-50.0, 50.0).map(lambda x: round(x, 4)),
        st.sampled_from([1.0, 100.0, 100.1, 1e6]),
    ),
    min_size=1,
    max_size=60,
)


def run(indicator, prices):
    return [indicator.update(price) for price in prices]


def walk(n, seed=0):
    return (100.0 + np.cumsum(np.random.default_rng(seed).normal(0.0, 0.1, n))).tolist()


def after_warmup(results, needed):
    """Assert that the first value comes with price number `needed`; return the values."""
    assert all(result is None for result in results[: needed - 1])
    assert all(result is not None for result in results[needed - 1 :])
    return results[needed - 1 :]


def windows(prices, window):
    return [prices[end - window : end] for end in range(window, len(prices) + 1)]


# SMA


def sma_bound(recent, window):
    """Return the bound of SMA's docstring for the prices of the last N + window updates."""
    n = window * math.ceil(1000 / window)
    return UNIT * (3 * max(map(abs, recent)) + 2 * (n + 2) * (max(recent) - min(recent)))


@given(some_prices, st.integers(1, 25))
def test_sma_is_the_exact_mean_within_its_bound(prices, window):
    values = after_warmup(run(SMA(window), prices), window)
    for value, part in zip(values, windows(prices, window), strict=True):
        assert abs(Fraction(value) - sum(map(Fraction, part)) / window) <= sma_bound(prices, window)


@pytest.mark.parametrize("window", [1, 3, 20, 50, 999, 1500])
def test_sma_forgets_the_rounding_of_an_outlier(window):
    n = window * math.ceil(1000 / window)
    prices = [*walk(300), 1e15 / 3, -1e14 / 7, *walk(n + 2 * window, seed=1)]
    sma = SMA(window)
    run(sma, prices)
    assert abs(sma.value - math.fsum(prices[-window:]) / window) <= sma_bound(prices[-n - window :], window)


def test_sma_does_not_drift_over_ten_million_updates():
    window = 50
    generator = np.random.default_rng(3)
    sma = SMA(window)
    update = sma.update
    for _ in range(100):
        prices = np.exp(generator.normal(0.0, 3.0, 100_000)).tolist()
        for price in prices:
            update(price)
        exact = math.fsum(prices[-window:]) / window
        assert abs(sma.value - exact) <= sma_bound(prices[-1000 - window :], window)


@pytest.mark.parametrize("indicator", [SMA(49), EMA(49), Min(49), Max(49)], ids=lambda i: i.label)
@pytest.mark.parametrize("price", [100.0, 100.1, 0.0001, 1 / 3])
def test_a_mean_of_equal_prices_is_that_price_exactly(indicator, price):
    fresh = copy.deepcopy(indicator)
    assert set(run(fresh, [price] * 200)[48:]) == {price}


@pytest.mark.parametrize("window", [2, 7, 50])
def test_long_runs_agree_with_pandas_and_numpy(window):
    prices = walk(5000)
    rolling = pd.Series(prices).rolling(window)
    parts = np.lib.stride_tricks.sliding_window_view(prices, window)
    np.testing.assert_allclose(np.array(run(SMA(window), prices), float), rolling.mean(), rtol=1e-12)
    np.testing.assert_allclose(run(STD(window), prices)[window - 1 :], parts.std(axis=1, ddof=1), rtol=1e-8)
    np.testing.assert_array_equal(np.array(run(Min(window), prices), float), rolling.min())
    np.testing.assert_array_equal(np.array(run(Max(window), prices), float), rolling.max())


# EMA


@given(some_prices, st.integers(1, 25))
def test_ema_is_the_mean_of_the_first_window_and_then_pandas_ewm(prices, window):
    values = after_warmup(run(EMA(window), prices), window)
    if values:
        first = statistics.fmean(prices[:window])
        expected = pd.Series([first, *prices[window:]]).ewm(span=window, adjust=False).mean()
        np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-12 * max(map(abs, prices)))


# STD and what is made of it


@given(some_prices, st.integers(2, 25))
def test_std_is_the_exact_sample_deviation_within_its_bound(prices, window):
    values = after_warmup(run(STD(window), prices), window)
    for value, part in zip(values, windows(prices, window), strict=True):
        exact = statistics.stdev(map(Fraction, part))
        assert abs(value - exact) <= 1e-11 * (1000 + window) * exact


@given(some_prices, st.floats(0.01, 1000.0), st.integers(2, 25))
def test_std_of_equal_prices_is_exactly_zero_whatever_came_before(prices, price, window):
    std = STD(window)
    run(std, prices)
    run(std, [price] * window)
    assert std.value == 0.0
    assert std.mean == price


@pytest.mark.parametrize("outlier", [1e3, 1e6, 1e12])
def test_std_recovers_at_once_when_an_outlier_leaves(outlier):
    window = 30
    prices = [*walk(100), outlier, *walk(100, seed=1), -outlier, *walk(3000, seed=2)]
    values = after_warmup(run(STD(window), prices), window)
    exact = [statistics.stdev(map(Fraction, part)) for part in windows(prices, window)]
    np.testing.assert_allclose(values, exact, rtol=1e-11 * (1000 + window))


@given(some_prices, st.integers(2, 25))
def test_zscore_measures_the_price_in_deviations_from_the_mean(prices, window):
    values = after_warmup(run(ZScore(window), prices), window)
    for value, part in zip(values, windows(prices, window), strict=True):
        mean, std = float(sum(map(Fraction, part)) / window), statistics.stdev(map(Fraction, part))
        if std == 0.0:
            assert value == 0.0
        else:
            rounding = 1e-12 * max(map(abs, prices)) / std
            assert value == pytest.approx((part[-1] - mean) / std, rel=1e-6, abs=rounding)
            assert abs(value) <= (window - 1) / math.sqrt(window) * (1 + 1e-6) + rounding


@given(some_prices, st.integers(2, 25), st.floats(0.1, 5.0))
def test_bollinger_bands_lie_width_deviations_around_the_mean(prices, window, width):
    values = after_warmup(run(Bollinger(window, width), prices), window)
    scale = 1e-9 * max(map(abs, prices))
    for bands, part in zip(values, windows(prices, window), strict=True):
        mean, std = float(np.mean(part)), float(np.std(part, ddof=1))
        expected = (mean - width * std, mean, mean + width * std)
        assert bands == pytest.approx(expected, rel=1e-6, abs=scale)
        assert bands.lower <= bands.middle <= bands.upper


# RSI


def wilder(prices, window):
    """Wilder's own recipe, in exact arithmetic: averages first, relative strength after."""
    changes = [Fraction(b) - Fraction(a) for a, b in pairwise(prices)]
    rises, falls = [max(c, 0) for c in changes], [max(-c, 0) for c in changes]
    rise, fall = Fraction(sum(rises[:window]), window), Fraction(sum(falls[:window]), window)
    values = []
    for i in range(window, len(changes) + 1):
        if i > window:
            rise = (rise * (window - 1) + rises[i - 1]) / window
            fall = (fall * (window - 1) + falls[i - 1]) / window
        if fall == 0:
            values.append(50.0 if rise == 0 else 100.0)
        else:
            values.append(float(100 - 100 / (1 + rise / fall)))
    return values


@given(
    st.lists(st.one_of(st.integers(-40, 40).map(float), st.floats(1.0, 200.0)), min_size=1, max_size=60),
    st.integers(1, 20),
)
def test_rsi_follows_wilders_recipe(prices, window):
    values = after_warmup(run(RSI(window), prices), window + 1)
    np.testing.assert_allclose(values, wilder(prices, window), rtol=1e-9, atol=1e-9)


def test_rsi_worked_by_hand():
    rsi = RSI(3)
    assert run(rsi, [10.0, 11.0, 10.5]) == [None, None, None]
    assert rsi.update(12.0) == pytest.approx(100 * 2.5 / 3.0)  # rises 1 + 1.5, falls 0.5
    assert rsi.update(11.0) == pytest.approx(100 * 5 / 9)  # rise (2 x 2.5/3 + 0)/3, fall (2 x 0.5/3 + 1)/3


@pytest.mark.parametrize(("step", "expected"), [(1.0, 100.0), (-1.0, 0.0), (0.0, 50.0)])
def test_rsi_at_its_ends(step, expected):
    prices = [500.0 + step * i for i in range(100)]
    assert set(run(RSI(14), prices)[14:]) == {expected}


# Min and Max


@given(some_prices, st.integers(1, 25))
def test_min_and_max_are_those_of_the_window(prices, window):
    parts = windows(prices, window)
    assert after_warmup(run(Min(window), prices), window) == [min(part) for part in parts]
    assert after_warmup(run(Max(window), prices), window) == [max(part) for part in parts]


# What all share


@pytest.mark.parametrize("make", ALL)
def test_value_ready_and_warmup_tell_how_far_it_is(make):
    indicator = make(5)
    needed = 6 if make is RSI else 5
    assert repr(indicator) == f"<{indicator.label} warming up 0/{needed}>"
    assert (indicator.value, indicator.ready, indicator.warmup) == (None, False, f"0/{needed}")
    for seen, price in enumerate(walk(20), start=1):
        result = indicator.update(price)
        assert indicator.value == result
        assert indicator.ready == (result is not None) == (seen >= needed)
        assert indicator.warmup == f"{min(seen, needed)}/{needed}"


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("kind", [float, np.float64, np.float32, int, np.int64, Fraction, Decimal])
def test_results_are_built_in_floats_whatever_the_price_is(make, kind):
    for result in run(make(3), [kind(round(price)) for price in walk(30)])[3:]:
        numbers = result if isinstance(result, Bands) else [result]
        assert {type(number) for number in numbers} == {float}


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("seen", [0, 3, 30])
@pytest.mark.parametrize(
    "bad", [math.nan, math.inf, -math.inf, np.float64("nan"), 1e308, 10**400, None, "5", []]
)
def test_a_bad_price_is_refused_and_changes_nothing(make, seen, bad):
    prices = walk(60)
    indicator, twin = make(8), make(8)
    run(indicator, prices[:seen])
    run(twin, prices[:seen])
    with pytest.raises(ValueError, match="the price"):
        indicator.update(bad)
    assert run(indicator, prices[seen:]) == run(twin, prices[seen:])


def test_a_price_of_none_explains_the_warmup():
    fast, smooth = SMA(3), EMA(3)
    with pytest.raises(ConfigError, match=r"warms up.*is None"):
        smooth.update(fast.update(100.0))


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("window", [20.0, np.int64(20), np.float64(20.0), Fraction(20)])
def test_a_whole_window_of_any_type_is_taken_as_int(make, window):
    made = make(window)
    assert made.window == 20
    assert type(made.window) is int


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize(
    "window", [0, -3, 20.5, math.nan, math.inf, 10**7, True, "20", None, [20], 2j, np.float64(0.5)]
)
def test_a_window_that_cannot_be_is_refused_with_the_range(make, window):
    least = 2 if make in (STD, ZScore, Bollinger) else 1
    with pytest.raises(ConfigError, match=rf"{make.__name__}\(window\) takes .* from {least} to 1,000,000"):
        make(window)


def test_a_fractional_window_is_told_the_nearest_whole_one():
    with pytest.raises(ConfigError, match=r"got 20\.6, did you mean 21\?"):
        SMA(20.6)


@pytest.mark.parametrize("make", [STD, ZScore, Bollinger])
def test_a_deviation_needs_two_prices(make):
    with pytest.raises(ConfigError, match="from 2"):
        make(1)


@pytest.mark.parametrize("width", [0.0, -1.0, math.nan, math.inf, True, "2", None])
def test_a_width_that_cannot_be_is_refused(width):
    with pytest.raises(ConfigError, match="width above 0"):
        Bollinger(20, width)


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("clone", [copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])
@pytest.mark.parametrize("seen", [3, 40])
def test_a_copy_goes_on_bit_for_bit(make, clone, seen):
    prices = walk(2500)
    original = make(9)
    run(original, prices[:seen])
    assert run(clone(original), prices[seen:]) == run(original, prices[seen:])


# ctx.indicator


def test_the_namespace_offers_every_indicator_and_remembers_what_it_made():
    indicator = Indicators()
    made = [getattr(indicator, make.__name__)(5) for make in ALL]
    assert [type(each) for each in made] == ALL
    assert indicator.made == made
    assert [each.label for each in indicator.made] == [
        "SMA(5)",
        "EMA(5)",
        "STD(5)",
        "ZScore(5)",
        "RSI(5)",
        "Bollinger(5, 2)",
        "Min(5)",
        "Max(5)",
    ]
    assert indicator.Bollinger(20.0, 2.5).label == "Bollinger(20, 2.5)"


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("sma", "SMA"), ("Zscore", "ZScore"), ("BollingerBands", "Bollinger")],
)
def test_an_unknown_indicator_is_met_with_a_suggestion(wrong, meant):
    with pytest.raises(
        AttributeError, match=f"no indicator '{wrong}' .did you mean '{meant}'.*there are .*RSI"
    ):
        getattr(Indicators(), wrong)


def test_an_indicator_that_was_refused_is_not_remembered():
    indicator = Indicators()
    with pytest.raises(ConfigError):
        indicator.SMA(0)
    assert indicator.made == []


def test_making_indicators_at_every_tick_is_stopped_with_the_remedy():
    indicator = Indicators()
    for _ in range(MAX_MADE):
        indicator.SMA(20)
    with pytest.raises(ConfigError, match=r"in init\(ctx\): ctx\.name = ctx\.indicator\.SMA\(20\)"):
        indicator.SMA(20)
    assert len(indicator.made) == MAX_MADE
