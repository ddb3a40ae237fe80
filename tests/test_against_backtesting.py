"""The same strategy on the same prices in backtesting.py arrives at the same trades and the same equity.

Both fill at the price of the tick after the signal: here with gaps of one latency, there with
``trade_on_close=False`` on bars whose four prices are equal.
"""

from __future__ import annotations

import pandas as pd
import pytest
from backtesting import Backtest, Strategy

from algosim.runs.evaluate import evaluate

BPS = 1e-4


class Crossover(Strategy):
    """Long while the fast mean is above the slow one, short while it is below."""

    fast, slow, qty = 20, 50, 1

    def init(self):
        price = pd.Series(self.data.Close)
        self.above = price.rolling(self.fast).mean() - price.rolling(self.slow).mean()
        self.side = 0

    def next(self):
        above = self.above.iloc[len(self.data) - 1]
        side = 1 if above > 0 else -1 if above < 0 else self.side
        if side != self.side:
            self.side = side
            missing = side * self.qty - self.position.size
            (self.buy if missing > 0 else self.sell)(size=abs(missing))


def backtest(ticks, *, cost_bps, **params):
    """Run backtesting.py on ticks; costs are a share of the traded value."""
    price = ticks["price"].to_numpy()
    bars = pd.DataFrame(dict.fromkeys(("Open", "High", "Low", "Close"), price), index=times(ticks))
    test = Backtest(
        bars,
        Crossover,
        cash=10_000.0,
        commission=lambda size, price: abs(size) * price * cost_bps * BPS,
        trade_on_close=False,
        hedging=False,
        exclusive_orders=False,
    )
    return test.run(**params)


def times(frame):
    return pd.Timestamp(0) + frame.index


def deals_of(stats):
    """Return signed quantity and price by time; the two halves of a flip are one deal."""
    closed = stats["_trades"]
    rows = [*zip(closed["EntryTime"], closed["Size"], closed["EntryPrice"], strict=True)]
    rows += zip(closed["ExitTime"], -closed["Size"], closed["ExitPrice"], strict=True)
    rows += [(trade.entry_time, trade.size, trade.entry_price) for trade in stats["_strategy"].trades]
    deals = pd.DataFrame(rows, columns=["time", "signed", "price"]).groupby("time")
    assert (deals["price"].nunique() == 1).all()
    return deals.agg({"signed": "sum", "price": "first"})


@pytest.mark.filterwarnings("ignore:Some trades remain open at the end")
@pytest.mark.parametrize(
    ("seed", "params", "settings"),
    [
        (0, {}, {"commission_bps": 0.0, "slippage_bps": 0.0}),
        (1, {"fast": 5, "slow": 12, "qty": 7}, {"commission_bps": 2.0, "slippage_bps": 0.0}),
        (2, {"fast": 3, "slow": 30, "qty": 2}, {"commission_bps": 0.0, "slippage_bps": 5.0}),
        (3, {}, {"commission_bps": 10.0, "slippage_bps": 0.0, "model.type": "gbm", "sigma": 0.05}),
    ],
)
def test_the_same_crossover_trades(seed, params, settings):
    result = evaluate(
        {"sma": {"path": "sma_crossover", "params": params}},
        seed=seed,
        ticks=1500,
        settings={"mode": "fixed", "dt_fixed_ms": 200.0, "latency_ms": 200.0, **settings},
    )
    cost_bps = settings["commission_bps"] + settings["slippage_bps"]
    stats = backtest(result.ticks, cost_bps=cost_bps, **params)
    theirs, ours = deals_of(stats), result.trades
    assert len(theirs) > 10
    assert times(ours).tolist() == theirs.index.tolist()
    sign = ours["side"].map({"BUY": 1.0, "SELL": -1.0}).astype(float)
    assert (sign * ours["qty"]).tolist() == theirs["signed"].tolist()
    # there, slippage is a part of the costs; here, it is one of the price
    seen = ours["price"] / (1.0 + sign * settings["slippage_bps"] * BPS)
    assert seen.tolist() == pytest.approx(theirs["price"].tolist(), rel=1e-12)
    equity = result.equity["sma"].iloc[: len(result.ticks)]
    assert equity.tolist() == pytest.approx(stats["_equity_curve"]["Equity"].tolist(), rel=1e-9)
    assert result.metrics["sma"]["final_equity"] == pytest.approx(stats["Equity Final [$]"], rel=1e-9)
