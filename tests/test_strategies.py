"""The shipped strategies: their signals against pandas, and their conduct while orders are in flight."""

from __future__ import annotations

import inspect
import math
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from algosim.core.indicators import Indicators

FOLDER = Path(__file__).parents[1] / "strategies"
NAMES = ["bollinger", "buy_and_hold", "mean_reversion", "momentum", "random_trader", "sma_crossover"]


class Ctx:
    """As much of ``ctx`` as the strategies use; an order fills `latency` ticks after it was placed."""

    def __init__(self, params, *, latency=0, position=0.0, seed=0):
        self.indicator = Indicators()
        self.rng = np.random.default_rng(seed)
        self.orders, self.targets, self.plots = [], [], {}
        self._params, self._latency = params, latency
        self._now, self._prices = -1, []
        self._position, self._flight = position, []

    def see(self, price):
        self._now += 1
        self._prices.append(price)
        self._settle()

    def _settle(self):
        landed = [qty for due, qty in self._flight if due <= self._now]
        self._flight = [order for order in self._flight if order[0] > self._now]
        self._position += sum(landed)

    def get_param(self, name):
        return self._params[name]

    def history(self, n):
        return self._prices[-n:]

    def position(self):
        return self._position

    def pending(self):
        return sum(qty for _, qty in self._flight)

    def equity(self):
        return self._position * self._prices[-1]

    def log(self, text):
        assert isinstance(text, str)

    def plot(self, name, value):
        self.plots.setdefault(name, {})[self._now] = value

    def target(self, qty, tag=None):
        assert isinstance(tag, str)
        self.targets.append((self._now, qty))
        missing = qty - self._position - self.pending()
        if missing:
            self.orders.append((self._now, missing))
            self._flight.append((self._now + self._latency, missing))
            self._settle()


def load(name):
    return runpy.run_path(str(FOLDER / name / "strategy.py"))


def trade(name, prices, *, latency=0, position=0.0, seed=0, **params):
    """Run a strategy over the prices; return its ctx and the position wanted after each tick."""
    strategy = load(name)
    assert set(params) <= set(strategy["PARAMS"])
    ctx = Ctx({**strategy["PARAMS"], **params}, latency=latency, position=position, seed=seed)
    if "init" in strategy:
        strategy["init"](ctx)
    wanted = []
    for number, price in enumerate(prices):
        ctx.see(price)
        strategy["on_tick"](ctx, {"price": price, "seq": number})
        wanted.append(ctx.position() + ctx.pending())
    if "on_stop" in strategy:
        strategy["on_stop"](ctx)
    return ctx, np.array(wanted)


def walk(n=4000, seed=0):
    """Return prices such as the default market makes: they revert to 100 and move 7 % a tick."""
    x, prices = 0.0, []
    for shock in np.random.default_rng(seed).normal(0.0, 0.073, n).tolist():
        x = 0.887 * x + shock
        prices.append(round(100.0 * math.exp(x), 4))
    return prices


def latched(n, signal):
    """Return the state after each tick: `signal(tick, state)` gives the new one, None keeps it."""
    states, state = [], 0.0
    for tick in range(n):
        new = signal(tick, state)
        state = state if new is None else new
        states.append(state)
    return np.array(states)


def rolling(prices, window):
    return np.lib.stride_tricks.sliding_window_view(prices, window)


# What the shipped strategies are


def test_these_are_all_the_shipped_strategies():
    assert sorted(path.parent.name for path in FOLDER.glob("*/strategy.py")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_learner_can_read_it(name):
    lines = (FOLDER / name / "strategy.py").read_text(encoding="utf-8").splitlines()
    strategy = load(name)
    assert 20 <= len(lines) <= 50
    assert strategy["__doc__"]
    assert isinstance(strategy["NAME"], str)
    assert all(isinstance(value, (int, float)) for value in strategy["PARAMS"].values())
    assert list(inspect.signature(strategy["init"]).parameters) == ["ctx"]
    assert list(inspect.signature(strategy["on_tick"]).parameters) == ["ctx", "tick"]


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_used(name):
    used = set()

    class Watched(dict):
        def __getitem__(self, key):
            used.add(key)
            return super().__getitem__(key)

    strategy = load(name)
    strategy["init"](Ctx(Watched(strategy["PARAMS"])))
    assert used == set(strategy["PARAMS"])


# How all of them behave


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("latency", [0, 1, 30, 500])
def test_positions_never_pass_the_quantity_whatever_the_latency(name, latency):
    ctx, wanted = trade(name, walk(), latency=latency, qty=3.0)
    assert ctx.orders
    assert set(np.unique(wanted)) <= {-3.0, 0.0, 3.0}
    held = np.cumsum([qty for _, qty in ctx.orders])
    assert np.abs(held).max() == 3.0


@pytest.mark.parametrize("name", NAMES)
def test_what_is_wanted_does_not_depend_on_latency(name):
    prices = walk()
    without, with_latency = trade(name, prices)[0], trade(name, prices, latency=25)[0]
    assert without.orders == with_latency.orders


@pytest.mark.parametrize("name", ["bollinger", "mean_reversion", "momentum", "sma_crossover"])
def test_prices_that_stand_still_give_no_signal(name):
    ctx, _ = trade(name, [100.1] * 500)
    assert ctx.orders == []


@pytest.mark.parametrize("name", [name for name in NAMES if name != "random_trader"])
@pytest.mark.parametrize("position", [-2.0, 0.0, 2.0])
def test_a_fresh_version_takes_over_the_position_it_finds(name, position):
    prices = walk()
    _, from_flat = trade(name, prices, qty=2.0)
    _, taken_over = trade(name, prices, qty=2.0, position=position)
    same = np.flatnonzero(from_flat == taken_over)
    assert same.size
    np.testing.assert_array_equal(taken_over[same[0] :], from_flat[same[0] :])
    assert abs(taken_over).max() == 2.0


# The signals


@pytest.mark.parametrize(("fast", "slow"), [(20, 50), (3, 8), (1, 2), (50, 20)])
def test_sma_crossover_is_on_the_side_of_the_difference_of_the_means(fast, slow):
    prices = walk()
    difference = pd.Series(prices).rolling(fast).mean() - pd.Series(prices).rolling(slow).mean()
    side = np.sign(difference.fillna(0.0).to_numpy())
    ctx, wanted = trade("sma_crossover", prices, fast=fast, slow=slow, qty=2.0)
    np.testing.assert_array_equal(wanted, 2.0 * side)
    crossings = np.flatnonzero(np.diff(side)) + 1
    assert [tick for tick, _ in ctx.targets] == crossings.tolist()


def test_sma_crossover_worked_by_hand():
    # means of 2: -, 10.5, 11.5, 10.5, 8.5, 10; means of 3: -, -, 11, 10.667, 9.667, 9.333
    ctx, wanted = trade("sma_crossover", [10.0, 11.0, 12.0, 9.0, 8.0, 12.0], fast=2, slow=3)
    assert wanted.tolist() == [0.0, 0.0, 1.0, -1.0, -1.0, 1.0]
    assert ctx.orders == [(2, 1.0), (3, -2.0), (5, 2.0)]


@pytest.mark.parametrize("entry", [1.5, 2.0])
@pytest.mark.parametrize("leave", [0.0, 0.5])
def test_mean_reversion_enters_and_leaves_by_the_zscore(entry, leave):
    prices, window = walk(), 40
    parts = rolling(prices, window)
    z = np.concatenate(
        [np.full(window - 1, np.nan), (parts[:, -1] - parts.mean(axis=1)) / parts.std(axis=1, ddof=1)]
    )

    def signal(tick, _state):
        if z[tick] < -entry:
            return 1.0
        if z[tick] > entry:
            return -1.0
        return 0.0 if abs(z[tick]) < leave else None

    _, wanted = trade("mean_reversion", prices, window=window, entry=entry, exit=leave)
    np.testing.assert_array_equal(wanted, latched(len(prices), signal))


def test_bollinger_enters_outside_the_bands_and_leaves_at_the_middle():
    prices, window, width = walk(), 30, 1.8
    parts = rolling(prices, window)
    gap = [None] * (window - 1)
    mean, std = gap + parts.mean(axis=1).tolist(), gap + parts.std(axis=1, ddof=1).tolist()

    def signal(tick, state):
        if mean[tick] is None:
            return None
        price, middle, half = prices[tick], mean[tick], width * std[tick]
        if price < middle - half:
            return 1.0
        if price > middle + half:
            return -1.0
        return 0.0 if state * (price - middle) >= 0.0 else None

    _, wanted = trade("bollinger", prices, window=window, width=width)
    np.testing.assert_array_equal(wanted, latched(len(prices), signal))
    assert {-1.0, 0.0, 1.0} == set(wanted)


def test_momentum_goes_with_the_change_and_draws_it():
    prices, window, threshold = walk(), 15, 12.0
    change = 100 * pd.Series(prices).pct_change(window)

    def signal(tick, _state):
        return math.copysign(1.0, change[tick]) if abs(change[tick]) > threshold else None

    ctx, wanted = trade("momentum", prices, window=window, threshold_pct=threshold)
    np.testing.assert_array_equal(wanted, latched(len(prices), signal))
    drawn = pd.Series(ctx.plots["change %"])
    pd.testing.assert_series_equal(drawn, change.dropna(), check_names=False)


def test_momentum_takes_a_window_that_came_from_a_slider():
    prices = walk(300)
    as_float, as_int = (trade("momentum", prices, window=w)[0].orders for w in (20.0, 20))
    assert as_float == as_int


@pytest.mark.parametrize("latency", [0, 1, 100])
def test_buy_and_hold_buys_once(latency):
    ctx, _ = trade("buy_and_hold", walk(), latency=latency, qty=5.0)
    assert ctx.orders == [(0, 5.0)]


def test_buy_and_hold_adjusts_to_a_position_that_it_finds():
    ctx, _ = trade("buy_and_hold", walk(10), position=7.0, qty=5.0)
    assert ctx.orders == [(0, -2.0)]


def test_random_trader_does_not_look_at_the_price():
    one, other = (trade("random_trader", walk(seed=seed), seed=5)[0].targets for seed in (1, 2))
    assert one == other


def test_random_trader_throws_the_same_dice_for_the_same_seed_only():
    one, again, other = (trade("random_trader", walk(), seed=seed)[0].targets for seed in (5, 5, 6))
    assert one == again
    assert one != other


def test_random_trader_is_fair():
    n, chance = 30_000, 0.3
    targets = [qty for _, qty in trade("random_trader", [100.0] * n, chance=chance, qty=2.0)[0].targets]
    assert abs(len(targets) - n * chance) < 4 * math.sqrt(n * chance * (1 - chance))
    for side in (-2.0, 0.0, 2.0):
        expected = len(targets) / 3
        assert abs(targets.count(side) - expected) < 4 * math.sqrt(expected * 2 / 3)
