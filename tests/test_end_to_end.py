"""Whole headless runs: five seconds from seed to metrics, the same run twice, equity that stays a number."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pandas as pd
import pytest

from algosim.runs.evaluate import evaluate

SHIPPED = ["bollinger", "buy_and_hold", "mean_reversion", "momentum", "random_trader", "sma_crossover"]
FAST = {"dt_mean_ms": 2.0, "latency_ms": 5.0}


@cache
def five_seconds(seed=42):
    """Five simulated seconds of the default market with ticks 75 times as frequent: about 2,500."""
    return evaluate("sma_crossover", seed=seed, duration="5s", settings=FAST)


def crossings(price, fast, slow):
    """Return the places where the fast mean is first seen on the other side of the slow one, and the side."""
    above = np.sign((price.rolling(fast).mean() - price.rolling(slow).mean()).to_numpy())
    found, side = [], 0
    for i, now in enumerate(above):
        if now in (1.0, -1.0) and now != side:
            side = now
            found.append((i, side))
    return found


# Five seconds, end to end


def test_the_ticks_of_five_seconds():
    ticks = five_seconds().ticks
    expected = 5.0 / 0.002
    assert abs(len(ticks) - expected) < 4.0 * math.sqrt(expected)
    assert ticks.index[-1] <= pd.Timedelta(seconds=5)
    assert ticks["seq"].tolist() == list(range(1, len(ticks) + 1))


def test_the_trades_are_the_crossings_of_the_averages():
    """The averages of pandas on the ticks say when to trade, how often, and to which side."""
    result = five_seconds()
    signals = crossings(result.ticks["price"], 20, 50)
    orders = result.recording.orders
    assert [order.seq - 1 for order in orders] == [i for i, _ in signals]
    assert [order.side for order in orders] == ["BUY" if side > 0 else "SELL" for _, side in signals]
    assert [order.qty for order in orders] == [1.0, *[2.0] * (len(signals) - 1)]
    late = [order for order in orders if order.due > 5_000_000_000]
    assert 20 < len(result.trades) == len(orders) - len(late)
    assert result.recording.end.unfilled == len(late)


def test_the_costs_of_every_trade():
    """Price, slippage of 1 bp to the worse side, commission of half a bp, by hand from the ticks."""
    result = five_seconds()
    time = result.recording.time
    for fill in result.recording.fills:
        at = np.searchsorted(time, fill.ts_sim, side="right") - 1
        worse = 1.0001 if fill.side == "BUY" else 0.9999
        assert fill.price == pytest.approx(result.recording.price[at] * worse, rel=1e-12)
        assert fill.commission == pytest.approx(fill.qty * fill.price * 0.00005, rel=1e-12)


def test_the_money_adds_up():
    result = five_seconds()
    trades, metrics = result.trades, result.metrics["sma_crossover"]
    sign = trades["side"].map({"BUY": 1.0, "SELL": -1.0}).astype(float)
    spent = (sign * trades["qty"] * trades["price"] + trades["commission"]).sum()
    held = (sign * trades["qty"]).sum()
    equity = 10_000.0 - spent + held * result.ticks["price"].iloc[-1]
    assert result.equity["sma_crossover"].iloc[-1] == pytest.approx(equity, rel=1e-12)
    assert metrics["final_equity"] == pytest.approx(equity, rel=1e-12)
    assert metrics["realized"] == pytest.approx(trades["realized"].sum(), rel=1e-9)
    assert metrics["pnl"] == pytest.approx(metrics["realized"] + metrics["unrealized"], rel=1e-9)
    assert result.positions["sma_crossover"].iloc[-1] == held


def test_the_metrics_are_within_their_bounds():
    result = five_seconds()
    metrics = result.metrics["sma_crossover"]
    assert metrics["fills"] == len(result.trades)
    assert metrics["round_trips"] == len(result.roundtrips) == metrics["fills"] - 1  # each flip ends one
    assert metrics["ticks"] == len(result.ticks)
    assert metrics["duration_s"] == 5.0
    assert 0.0 < metrics["exposure"] < 1.0
    assert 0.0 < metrics["max_drawdown"] < 0.1
    assert 0.0 < metrics["drawdown_duration_s"] <= 5.0
    assert 0.0 <= metrics["win_rate"] <= 1.0
    assert metrics["win_rate"] == pytest.approx((result.roundtrips["pnl"] > 0).mean())
    assert metrics["costs"] == pytest.approx(metrics["commission"] + metrics["slippage"])
    assert 0.0 < metrics["avg_hold_s"] < 5.0
    assert abs(metrics["return_fraction"]) < 0.1
    assert result.metrics["total"]["fills"] == metrics["fills"]


# The same run again


def test_the_same_seed_is_the_same_run():
    first, again = five_seconds(), evaluate("sma_crossover", seed=42, duration="5s", settings=FAST)
    assert again.digest == first.digest
    pd.testing.assert_frame_equal(again.trades, first.trades, check_exact=True)
    pd.testing.assert_frame_equal(again.equity, first.equity, check_exact=True)
    assert repr(again.metrics) == repr(first.metrics)


def test_another_seed_is_another_run():
    assert evaluate("sma_crossover", seed=43, duration="5s", settings=FAST).digest != five_seconds().digest


def test_in_this_process_it_is_the_same_run_but_not_called_comparable():
    here = evaluate("sma_crossover", seed=42, duration="5s", settings=FAST, isolate=False)
    assert here.digest == five_seconds().digest
    assert (here.comparable, five_seconds().comparable) == (False, True)


def test_company_changes_nothing_for_a_strategy():
    """Accounts do not interact; the random trader's stream is its own."""
    settings = {**FAST, "latency_ms": 0.0}
    together = evaluate(["random_trader", "sma_crossover"], seed=1, ticks=1500, settings=settings)
    for name in ("random_trader", "sma_crossover"):
        alone = evaluate(name, seed=1, ticks=1500, settings=settings, isolate=False)
        mine = together.trades[together.trades["id"] == name]
        assert len(mine) > 10
        pd.testing.assert_frame_equal(mine, alone.trades, check_exact=True)
    curves = together.equity
    assert curves["total"].to_numpy() == pytest.approx(
        (curves["random_trader"] + curves["sma_crossover"]).to_numpy()
    )


# Equity is always a number


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"latency_ms": 0.0},
        {"latency_ms": 1000.0, "mode": "fixed"},
        {"step": "euler", "kappa": 1e3, "dt_mean_ms": 50.0},
        {"slippage_bps": 10_000.0, "commission_bps": 1e4, "commission_fixed": 1e6},
        {"model.type": "gbm", "sigma": 30.0},
        {"model.type": "brownian", "price_map": "additive", "sigma": 1e3, "floor": 5.0, "tick_size": 5.0},
        {"sigma": 0.0},
    ],
    ids=str,
)
def test_equity_is_a_number_whatever_the_market_does(settings):
    """It may be far below zero; it is never NaN, and the books agree with it at every snapshot."""
    result = evaluate(SHIPPED, seed=5, ticks=800, settings={"dt_mean_ms": 10.0, **settings}, isolate=False)
    assert result.errors == []
    equity = result.equity
    assert list(equity.columns) == [*SHIPPED, "total"]
    assert np.isfinite(equity.to_numpy()).all()
    for snapshot in result.recording.snapshots:
        row = min(snapshot.seq, len(equity)) - 1
        assert equity[snapshot.id].iloc[row] == snapshot.equity
        moved = 1e4 + abs(snapshot.cash) + abs(snapshot.position * snapshot.price) + abs(snapshot.realized)
        books = 10_000.0 + snapshot.realized + snapshot.unrealized
        assert snapshot.equity == pytest.approx(books, rel=0.0, abs=1e-9 * moved)
