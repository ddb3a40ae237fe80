from __future__ import annotations

import math

import empyrical
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosim.core.metrics import (
    Ledger,
    combined_equity,
    drawdown,
    equity_curve,
    exposure,
    interval_returns,
    round_trips,
    sharpe,
    summary,
    total,
    window_summary,
)
from tests.exact_books import (
    CASH,
    Session,
    covered,
    curve_by_hand,
    fills_on,
    held_by_hand,
    make_fills,
    markets,
    sessions,
)

SECOND = 1_000_000_000
SCALE = {"interval_ns": SECOND // 2, "seconds_per_year": 252 * 6.5 * 3600}
ADDITIVE = (
    "pnl",
    "realized",
    "unrealized",
    "round_trips",
    "fills",
    "commission",
    "slippage",
    "costs",
    "ticks",
)


def arrays(fills):
    return (
        np.array([fill.seq for fill in fills], np.int64),
        np.array([fill.position for fill in fills], np.float64),
        np.array([fill.cash for fill in fills], np.float64),
    )


def measured(session, **more):
    return summary(**session.market, fills=session.fills, initial_cash=CASH, **SCALE, **more)


def measured_since(session, window_ns, **more):
    return window_summary(
        **session.market, fills=session.fills, initial_cash=CASH, window_ns=window_ns, **SCALE, **more
    )


def example():
    """Ten ticks a second apart: long 2 from 2.5 s to 5 s, short 1 from 7 s on."""
    price = np.array([100.0, 101, 102, 104, 106, 105, 103, 102, 101, 104])
    fills = make_fills(
        [
            (3, 2, 5 * SECOND // 2, 2, 102, 1),
            (5, 5, 5 * SECOND, -2, 105, 1),
            (7, 7, 7 * SECOND, -1, 102, 1),
        ]
    )
    return Session(np.arange(1, 11, dtype=np.int64) * SECOND, price, fills, 10 * SECOND)


def test_worked_example():
    found = measured(example())
    undefined = {"sharpe", "sharpe_se"}
    assert {key: value for key, value in found.items() if key not in undefined} == pytest.approx(
        {
            "final_equity": 1000 + 6 - 2 - 2 - 1,
            "pnl": 1.0,
            "realized": 3.0,
            "unrealized": -2.0,
            "return_fraction": 0.001,
            # 1000 until 2 s, then 999, 1003, 1004 (5 s), 1004, 1002, 1003, 1004 (9 s), 1001
            "max_drawdown": 3 / 1004,
            "max_drawdown_currency": 3.0,
            "drawdown_duration_s": 3.0,
            "sharpe_note": "20 returns; at least 30 are needed",
            "round_trips": 1,
            "win_rate": 1.0,
            "avg_trade_pnl": 4.0,
            "avg_hold_s": 2.5,
            "exposure": 0.55,
            "fills": 3,
            "turnover": (204 + 210 + 102) / 1000,
            "commission": 3.0,
            "slippage": 2 * 1.0 + 2 * 1.0 + 1 * 1.0,
            "costs": 8.0,
            "ticks": 10,
            "duration_s": 10.0,
        }
    )
    assert all(math.isnan(found[key]) for key in undefined)


@given(sessions())
def test_equity_curve_equals_asking_at_every_tick(session):
    position, cash, equity = equity_curve(*arrays(session.fills), session.price, CASH)
    by_hand = curve_by_hand(session)[:-1]
    assert position.tolist() == [held for held, _ in by_hand]
    assert equity.tolist() == pytest.approx([float(value) for _, value in by_hand], rel=1e-12)
    steps = zip(cash.tolist(), position.tolist(), session.price.tolist(), strict=True)
    assert equity.tolist() == [c + p * price for c, p, price in steps]


@given(sessions())
def test_summary_equals_its_definition(session):
    found = measured(session)
    equity = np.array([float(value) for _, value in curve_by_hand(session)])
    times = np.append(session.time_ns, session.end_ns)
    deepest = drawdown(times, equity, CASH, session.end_ns)
    trips = round_trips(session.fills)
    wins = [trip for trip in trips if trip.pnl > 0]
    assert found["final_equity"] == equity[-1]
    assert found["final_equity"] == pytest.approx(CASH + found["realized"] + found["unrealized"], rel=1e-12)
    assert (found["max_drawdown"], found["drawdown_duration_s"]) == (
        pytest.approx(deepest.max_fraction, abs=1e-12),
        deepest.duration_s,
    )
    assert found["round_trips"] == len(trips)
    if trips:
        assert found["win_rate"] == len(wins) / len(trips)
        assert found["avg_trade_pnl"] == pytest.approx(np.mean([trip.pnl for trip in trips]), abs=1e-9)
        assert found["avg_hold_s"] == pytest.approx(np.mean([trip.hold_s for trip in trips]), abs=1e-9)
    assert found["slippage"] == sum(abs(f.price - session.price[f.at - 1]) * f.qty for f in session.fills)
    returns = interval_returns(times, equity, CASH, SCALE["interval_ns"], session.end_ns)
    ratio = sharpe(returns, 2 * SCALE["seconds_per_year"])
    assert found["sharpe"] == pytest.approx(ratio.value, rel=1e-9, nan_ok=True)
    assert found["sharpe_se"] == pytest.approx(ratio.se, rel=1e-9, nan_ok=True)
    assert found["sharpe_note"] == ratio.reason


@given(sessions())
def test_exposure_is_the_time_covered_by_positions(session):
    if session.end_ns == 0:
        assert math.isnan(exposure(session.fills, 0))
        return
    expected = covered(held_by_hand(session.fills, 0, session.end_ns)) / session.end_ns
    assert exposure(session.fills, session.end_ns) == expected
    assert measured(session)["exposure"] == expected


@given(sessions(), st.integers(0, 100))
def test_a_window_and_what_came_before_make_up_the_run(session, percent):
    window_ns = session.end_ns * percent // 100
    split_ns = session.end_ns - window_ns
    n = int(np.searchsorted(session.time_ns, split_ns, side="right"))
    earlier = Session(
        session.time_ns[:n],
        session.price[:n],
        [f for f in session.fills if f.seq <= n] if n else [],
        split_ns,
    )
    whole, before, after = measured(session), measured(earlier), measured_since(session, window_ns)
    for key in ADDITIVE:
        assert before[key] + after[key] == pytest.approx(whole[key], abs=1e-9), key
    for count, mean in (
        ("round_trips", "win_rate"),
        ("round_trips", "avg_trade_pnl"),
        ("round_trips", "avg_hold_s"),
    ):
        parts = sum(part[mean] * part[count] for part in (before, after) if part[count])
        assert parts == pytest.approx(whole[mean] * whole[count] if whole[count] else 0.0, abs=1e-9)
    assert after["final_equity"] == whole["final_equity"]
    assert after["final_equity"] - after["pnl"] == pytest.approx(before["final_equity"], abs=1e-9)
    if after["duration_s"]:
        held = covered(held_by_hand(session.fills, split_ns, session.end_ns))
        assert after["exposure"] == held / (session.end_ns - split_ns)


@given(sessions())
def test_a_window_longer_than_the_run_is_the_run(session):
    assert measured_since(session, session.end_ns + 5) == pytest.approx(measured(session), nan_ok=True, abs=0)


@given(sessions(), st.integers(1, 10_000_000_000))
def test_metrics_do_not_depend_on_when_the_account_began(session, shift):
    # an account that begins at tick 3 of a market sees what it would see in a market that begins there
    later = Session(
        np.concatenate((np.array([shift // 2, shift], np.int64), session.time_ns + shift)),
        np.concatenate(([7.0, 9.0], session.price)),
        make_fills(
            [
                (
                    f.seq + 2,
                    f.at + 2,
                    f.ts_sim + shift,
                    f.qty if f.side == "BUY" else -f.qty,
                    f.price,
                    f.commission,
                )
                for f in session.fills
            ]
        ),
        session.end_ns + shift,
    )
    assert measured(later, start_ns=shift) == pytest.approx(measured(session), nan_ok=True)


@st.composite
def crowds(draw):
    """One market, some accounts, some of them removed at a tick after their last fill."""
    times, price, end_ns = draw(markets())
    accounts = []
    for number in range(draw(st.integers(1, 3))):
        fills = draw(fills_on(times.tolist(), price.tolist(), end_ns, f"a{number}"))
        last = draw(st.none() | st.integers(0, len(price)))
        if last is not None:
            fills = [fill for fill in fills if fill.seq <= last]
        accounts.append(Ledger(fills, CASH, last))
    return times, price, end_ns, accounts


@given(crowds(), st.none() | st.integers(0, 100))
def test_total_of_several_accounts(crowd, percent):
    times, price, end_ns, accounts = crowd
    window_ns = None if percent is None else end_ns * percent // 100
    start_ns = 0 if window_ns is None else max(0, end_ns - window_ns)
    found = total(time_ns=times, price=price, accounts=accounts, end_ns=end_ns, window_ns=window_ns, **SCALE)
    singles = [
        total(time_ns=times, price=price, accounts=[account], end_ns=end_ns, window_ns=window_ns, **SCALE)
        for account in accounts
    ]
    for key in (*ADDITIVE[:-1], "final_equity"):
        assert found[key] == pytest.approx(sum(single[key] for single in singles), abs=1e-9), key
    curves = [
        [float(v) for _, v in curve_by_hand(Session(times, price, a.fills, end_ns), a.last_seq)]
        for a in accounts
    ]
    equity = np.sum(curves, axis=0)
    n = int(np.searchsorted(times, start_ns, side="right"))
    since = drawdown(
        np.append(times[n:], end_ns),
        equity[n:],
        equity[n - 1] if n else CASH * len(accounts),
        end_ns,
        start_ns=start_ns,
    )
    assert found["max_drawdown_currency"] == pytest.approx(since.max_currency, abs=1e-9)
    assert found["drawdown_duration_s"] == since.duration_s
    held = []
    for account in accounts:
        last = account.last_seq
        until = end_ns if last is None else int(times[last - 1]) if last else 0
        held += held_by_hand(account.fills, start_ns, until)
    if end_ns > start_ns:
        assert found["exposure"] == covered(held) / (end_ns - start_ns)


@given(crowds())
def test_a_removed_account_measures_the_same_alone_and_cut_at_its_end(crowd):
    times, price, end_ns, accounts = crowd
    for fills, cash, last in accounts:
        if last:
            cut = int(times[last - 1])
            alone = summary(
                time_ns=times[:last], price=price[:last], fills=fills, initial_cash=cash, end_ns=cut, **SCALE
            )
            among = total(
                time_ns=times, price=price, accounts=[Ledger(fills, cash, last)], end_ns=end_ns, **SCALE
            )
            for key in (*ADDITIVE[:-1], "final_equity", "max_drawdown", "turnover"):
                assert alone[key] == among[key]
            assert alone["exposure"] * cut == pytest.approx(among["exposure"] * end_ns)


def test_combined_equity_holds_the_last_value_of_a_removed_account():
    curves = [np.array([10.0, 11, 12, 13]), np.array([20.0, 18]), np.zeros(0)]
    assert combined_equity(curves, [10.0, 20.0, 5.0]).tolist() == [35.0, 34.0, 35.0, 36.0]
    assert combined_equity([], []).size == 0


def test_sharpe_of_a_run_equals_empyrical_on_its_grid():
    rng = np.random.default_rng(2)
    time_ns = np.cumsum(rng.exponential(150e6, 3000).astype(np.int64) + 1)
    price = 100.0 + rng.normal(0.01, 0.1, 3000).cumsum()
    fills = make_fills([(2, 1, int(time_ns[0]) + 1, 3, price[0], 0)])
    found = measured(Session(time_ns, price, fills, int(time_ns[-1])))
    grid = np.arange(0, time_ns[-1] + 1, SCALE["interval_ns"])
    latest = np.searchsorted(time_ns, grid, side="right")
    equity = np.where(latest > 1, CASH + 3 * (price[latest - 1] - price[0]), CASH)
    ratio = empyrical.sharpe_ratio(np.diff(equity), annualization=2 * SCALE["seconds_per_year"])
    assert found["sharpe"] == pytest.approx(ratio, rel=1e-9)


def test_a_window_that_begins_after_a_flip():
    # long 1, flipped to short 1 at 3 s and to long 1 at 6 s: that trip lost 4 and half of either commission
    rows = [(1, 1, SECOND, 1, 100, 0), (3, 3, 3 * SECOND, -2, 102, 2), (6, 6, 6 * SECOND, 2, 106, 4)]
    session = example()._replace(fills=make_fills(rows))
    found = measured_since(session, 5 * SECOND)
    assert (found["round_trips"], found["avg_trade_pnl"], found["avg_hold_s"]) == (1, -7.0, 3.0)
    assert found["realized"] == -8.0


def test_a_flat_account_has_exactly_nothing_unrealized():
    price = np.array([0.1, 0.7, 0.3])
    fills = make_fills([(2, 1, SECOND, 3, 0.1, 0.01), (3, 2, 2 * SECOND, -3, 0.7, 0.01)])
    assert measured(Session(np.arange(1, 4) * SECOND, price, fills, 3 * SECOND))["unrealized"] == 0.0


def test_a_trip_that_breaks_even_is_no_win():
    rows = [(2, 1, SECOND, 1, 100, 0), (3, 2, 2 * SECOND, -1, 100, 0), (4, 3, 3 * SECOND, -1, 102, 0)]
    rows += [(5, 4, 4 * SECOND, 1, 101, 0)]
    found = measured(example()._replace(fills=make_fills(rows)))
    assert (found["round_trips"], found["win_rate"]) == (2, 0.5)


def test_a_market_without_ticks():
    empty = Session(np.zeros(0, np.int64), np.zeros(0), [], 0)
    found = measured(empty)
    assert (found["final_equity"], found["pnl"], found["max_drawdown"], found["ticks"]) == (CASH, 0.0, 0.0, 0)
    undefined = ("sharpe", "win_rate", "avg_trade_pnl", "avg_hold_s", "exposure")
    assert all(math.isnan(found[key]) for key in undefined)
    assert measured_since(empty, SECOND) == pytest.approx(found, nan_ok=True)


def test_an_account_that_never_trades():
    session = example()
    idle = session._replace(fills=[], end_ns=60 * SECOND)
    found = measured(idle)
    assert (found["final_equity"], found["exposure"], found["turnover"], found["costs"]) == (
        CASH,
        0.0,
        0.0,
        0.0,
    )
    assert found["sharpe_note"] == "the returns do not vary"
    assert found["drawdown_duration_s"] == 0.0


def test_one_tick_and_a_fill_in_the_end_block():
    # an order of the only tick, due at once, fills at the end: it counts in the final equity
    fills = make_fills([(2, 1, SECOND, 1, 101, 2)])
    found = measured(Session(np.array([SECOND]), np.array([100.0]), fills, SECOND))
    assert (found["final_equity"], found["max_drawdown_currency"]) == (CASH - 3, 3.0)
    assert (found["realized"], found["unrealized"]) == (-2.0, -1.0)


def test_equity_below_zero():
    time_ns = np.arange(1, 5, dtype=np.int64) * SECOND
    fills = make_fills([(1, 1, SECOND, 100, 100, 0), (4, 4, 4 * SECOND, -100, 89, 0)])
    session = Session(time_ns, np.array([100.0, 88, 80, 89]), fills, 4 * SECOND)
    found = measured(session)
    assert (found["final_equity"], found["max_drawdown"], found["drawdown_duration_s"]) == (-100.0, 2.0, 3.0)
    since = measured_since(session, 2 * SECOND)
    # equity was -200 two seconds before the end, so nothing is a fraction of it; 1200 unrealized became real
    assert (since["pnl"], since["final_equity"], since["win_rate"]) == (100.0, -100.0, 0.0)
    assert (since["realized"], since["unrealized"]) == (-1100.0, 1200.0)
    assert all(math.isnan(since[key]) for key in ("return_fraction", "turnover", "max_drawdown"))
