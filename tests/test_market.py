"""The market: one path per seed, whoever asks for it and in whatever portions; its clock; its price grid."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from unittest import mock

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from scipy import stats

from algosim.config import Model, Schedule
from algosim.core import market as market_module
from algosim.core.market import GivenMarket, Market, milliseconds_to_ns, to_price
from algosim.core.randomness import derive, stream
from algosim.core.ticks import shown
from algosim.errors import ConfigError

RAW = Model(tick_size=0.0)
FIXED = Schedule(mode="fixed")


def joined(parts):
    return tuple(np.concatenate([getattr(part, name) for part in parts]) for name in ("time", "price", "x"))


def collect(market, n):
    """Take `n` ticks in as large portions as the market gives."""
    parts, goal = [], market.seq + n
    while market.seq < goal:
        parts.append(market.take(goal - market.seq))
    return joined(parts)


def path(n, model=RAW, schedule=None, seed=0):
    return collect(Market(model, schedule or Schedule(), seed), n)


def same(one, other):
    return all((a == b).all() for a, b in zip(one, other, strict=True))


def small_chunks(size):
    return mock.patch.object(market_module, "CHUNK", size)


# One path, in any portions


@settings(max_examples=30)
@given(
    portions=st.lists(st.integers(1, 150), min_size=1, max_size=20),
    chunk=st.sampled_from([1, 2, 7, 64, 4096]),
    peek=st.booleans(),
)
def test_any_portions_give_the_same_path_to_the_last_bit(portions, chunk, peek):
    """Also where shocks are drawn in other chunks than the real ones: CHUNK has no influence."""
    n = 400
    with small_chunks(chunk):
        market = Market(RAW, Schedule(), 0)
        parts = []
        for most in itertools.cycle(portions):
            ahead = market.peek_time() if peek else None
            part = market.take(min(most, n - market.seq))
            assert ahead in (None, part.time[0])
            assert part.first == market.seq + 1 - len(part.time)
            assert (market.time, market.price, market.x) == (part.time[-1], part.price[-1], part.x[-1])
            parts.append(part)
            if market.seq == n:
                break
    assert same(joined(parts), path(n))


def test_one_by_one_or_all_at_once():
    market = Market(RAW, Schedule(), 7)
    one_by_one = joined([market.take(1) for _ in range(10_000)])
    assert same(one_by_one, path(10_000, seed=7))


@settings(max_examples=30)
@given(st.lists(st.integers(1, 2000), max_size=20, unique=True), st.sampled_from([5, 64, 4096]))
def test_a_change_to_the_same_parameters_changes_no_bit(places, chunk):
    with small_chunks(chunk):
        market = Market(RAW, Schedule(), 0)
        parts = []
        for place in [*sorted(places), 2001]:
            while market.seq < place - 1:
                parts.append(market.take(place - 1 - market.seq))
            market.change(RAW, Schedule())
    assert same(joined(parts), path(2000))


def test_take_stops_at_a_time_but_gives_at_least_one_tick():
    whole, _, _ = path(100)
    market = Market(RAW, Schedule(), 0)
    until = int(whole[9])
    assert (market.take(100, until).time == whole[:10]).all()  # a tick at that very time belongs to it
    assert (market.take(100, until).time == whole[10:11]).all()
    assert (market.take(100, int(whole[19]) - 1).time == whole[11:19]).all()
    assert (market.take(5, int(whole[99])).time == whole[19:24]).all()


def test_before_the_first_tick():
    market = Market(Model(x0=0.1, tick_size=0.01), Schedule(), 0)
    assert (market.seq, market.time, market.x) == (0, 0, 0.1)
    assert market.price == 110.52


# Shocks belong to a tick's number


def draws(times, x, model, schedule, change_at=None, model_after=None, schedule_after=None):
    """Find the shocks and the exponential draws of a path, with the textbook's formulas.

    The draws are NaN where gaps are fixed.
    """
    gaps = np.diff(times, prepend=0)
    eps, waits = [], []
    for n, (gap, before, after) in enumerate(zip(gaps, np.append(0.0, x[:-1]), x, strict=True), 1):
        if n == change_at:
            model, schedule = model_after, schedule_after
        dt = gap * 1e-9 / model.seconds_per_unit
        if model.type != "vasicek":
            drift = model.mu - model.sigma**2 / 2 if model.type == "gbm" else model.mu
            mean, sd = before + drift * dt, model.sigma * math.sqrt(dt)
        elif model.kappa == 0.0:
            mean, sd = before, model.sigma * math.sqrt(dt)
        elif model.step == "euler":
            mean, sd = before + model.kappa * (model.theta - before) * dt, model.sigma * math.sqrt(dt)
        else:
            decay = math.exp(-model.kappa * dt)
            mean = model.theta + (before - model.theta) * decay
            sd = model.sigma * math.sqrt((1.0 - decay**2) / (2.0 * model.kappa))
        eps.append((after - mean) / sd)
        waits.append(gap / (schedule.dt_mean_ms * 1e6) if schedule.mode == "poisson" else math.nan)
    return np.array(eps), np.array(waits)


CHANGES = [
    ({"sigma": 0.7}, {}),
    ({"kappa": 3.0}, {}),
    ({"kappa": 0.0}, {}),
    ({"theta": -0.4}, {}),
    ({"step": "euler"}, {}),
    ({"type": "brownian", "mu": 0.1}, {}),
    ({"type": "gbm", "mu": 0.1}, {}),
    ({"seconds_per_unit": 60.0}, {}),
    ({"price_map": "additive"}, {}),
    ({"P0": 50.0}, {}),
    ({"tick_size": 0.01}, {}),
    ({"x0": 3.0}, {}),
    ({}, {"dt_mean_ms": 700.0}),
    ({}, {"mode": "fixed", "dt_fixed_ms": 70.0}),
    ({}, {"speed": 9.0}),
    ({"sigma": 0.1, "theta": 1.0}, {"dt_mean_ms": 15.0}),
]


@pytest.mark.parametrize(("model_change", "schedule_change"), CHANGES, ids=str)
@pytest.mark.parametrize("at", [1, 1500, 4097])
def test_a_change_leaves_the_shocks_as_they_were(at, model_change, schedule_change):
    n = 4500
    before = path(n, seed=5)
    model, schedule = replace(RAW, **model_change), replace(Schedule(), **schedule_change)
    market = Market(RAW, Schedule(), 5)
    head = [collect(market, at - 1)] if at > 1 else []
    market.change(model, schedule)
    after = tuple(np.concatenate(columns) for columns in zip(*head, collect(market, n + 1 - at), strict=True))
    for column, unchanged in zip(after, before, strict=True):
        assert (column[: at - 1] == unchanged[: at - 1]).all()
    eps, waits = draws(before[0], before[2], RAW, Schedule())
    new_eps, new_waits = draws(after[0], after[2], RAW, Schedule(), at, model, schedule)
    # they are found back through rounded gaps and differences of x
    assert np.abs(new_eps - eps).max() < 1e-5
    assert np.nanmax(np.append(0.0, np.abs(new_waits - waits))) < 1e-6
    assert eps == pytest.approx(stream(5, "path").standard_normal(n), abs=1e-5)


def test_fixed_gaps_use_up_no_draws():
    """Gaps after a stretch of fixed ones are those that they would have been without it."""
    always = path(3000, seed=3)[0]
    market = Market(RAW, Schedule(), 3)
    collect(market, 1000)
    market.change(RAW, FIXED)
    collect(market, 1000)
    market.change(RAW, Schedule())
    back = market.time
    again = collect(market, 1000)[0]
    assert (np.diff(again, prepend=back) == np.diff(always)[1999:]).all()


def test_what_only_a_reset_can_change():
    market = Market(RAW, Schedule(), 5)
    collect(market, 10)
    market.change(replace(RAW, x0=3.0), Schedule())
    assert same(collect(market, 90), [column[10:] for column in path(100, seed=5)])


@given(st.integers(0, 20), st.sampled_from([0.001, 40.0, 9000.0]))
def test_a_change_of_the_mean_gap_moves_the_next_tick(n, mean_ms):
    market = Market(RAW, Schedule(), 1)
    if n:
        collect(market, n)
    wait = (market.peek_time() - market.time) / 150e6
    market.change(RAW, Schedule(dt_mean_ms=mean_ms))
    assert market.peek_time() - market.time == pytest.approx(wait * mean_ms * 1e6, abs=1.0 + mean_ms / 150)
    assert market.take(1).time[0] == market.time


def test_undoing_a_change_before_the_next_tick_undoes_it():
    market = Market(RAW, Schedule(), 5)
    collect(market, 100)
    market.change(Model(sigma=9.0), FIXED)
    market.peek_time()
    market.change(RAW, Schedule())
    assert same(collect(market, 100), [column[100:] for column in path(200, seed=5)])


# The clock


@pytest.mark.parametrize("mean_ms", [0.02, 150.0, 86_400_000.0])
def test_poisson_gaps_are_exponential(mean_ms):
    """Mean, variance, distribution (Kolmogorov-Smirnov at 0.1 %) and independence of 50,000 gaps."""
    n = 50_000
    gaps = np.diff(path(n, schedule=Schedule(dt_mean_ms=mean_ms), seed=11)[0], prepend=0) / (mean_ms * 1e6)
    assert abs(gaps.mean() - 1.0) < 4.0 / math.sqrt(n)
    assert abs(gaps.var() - 1.0) < 4.0 * math.sqrt(8.0 / n)
    assert stats.kstest(gaps, "expon").pvalue > 1e-3
    assert abs(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) < 4.0 / math.sqrt(n)


def test_counts_of_poisson_arrivals_vary_as_much_as_their_mean():
    times = path(60_000, seed=12)[0]
    counts = np.bincount(times // 1_000_000_000)[:-1]
    rate, n = 1000.0 / 150.0, len(counts)
    assert abs(counts.mean() - rate) < 4.0 * math.sqrt(rate / n)
    assert abs(counts.var() / rate - 1.0) < 4.0 * math.sqrt((2.0 + 1.0 / rate) / n)


@pytest.mark.parametrize("gap_ms", [1e-6, 0.0123456, 200.0, 3_600_000.0])
def test_fixed_gaps_are_exact(gap_ms):
    times = path(10_000, schedule=Schedule(mode="fixed", dt_fixed_ms=gap_ms))[0]
    assert (times == np.arange(1, 10_001) * round(Fraction(str(gap_ms)) * 10**6)).all()


@pytest.mark.parametrize("mean_ms", [1e-6, 3e-6, 1e-3])
def test_times_increase_even_where_gaps_round_to_nothing(mean_ms):
    times = path(20_000, schedule=Schedule(dt_mean_ms=mean_ms))[0]
    assert times[0] >= 1
    assert np.diff(times).min() >= 1


def test_speed_is_no_part_of_the_path():
    assert same(path(100, schedule=Schedule(speed="max")), path(100, schedule=Schedule(speed=0.1)))


@pytest.mark.parametrize("mode", ["fixed", "poisson"])
def test_time_ends_with_an_error_instead_of_running_over(mode):
    market = Market(RAW, Schedule(mode=mode, dt_fixed_ms=1e9, dt_mean_ms=1e9), 0)
    times = []
    with pytest.raises(ConfigError, match="use shorter gaps or fewer ticks"):  # noqa: PT012
        while market.seq < 100_000:
            times += market.take(1000).time.tolist()
    assert np.diff(times).min() > 0
    assert 2**62 - 2e16 < times[-1] <= 2**62
    assert market.seq == len(times) > 4000
    with pytest.raises(ConfigError):
        market.peek_time()


@pytest.mark.parametrize(("ms", "ns"), [(0.0, 0), (50.0, 50_000_000), (0.1, 100_000), (1e-6, 1), (4e-7, 0)])
def test_milliseconds(ms, ns):
    assert milliseconds_to_ns(ms) == ns
    assert type(milliseconds_to_ns(ms)) is int


# The price grid


def priced(x, **model):
    return float(to_price(np.array([x]), Model(**model))[0])


@given(
    x=st.floats(-15.0, 15.0),
    tick=st.sampled_from(["0.0001", "0.01", "0.25", "1", "5"]),
    additive=st.booleans(),
)
def test_prices_are_the_nearest_points_of_the_grid(x, tick, additive):
    size = Fraction(tick)
    if additive:
        raw = 100.0 + 6.0 * x
        price = priced(6.0 * x, tick_size=float(size), price_map="additive", floor=5.0)
    else:
        raw = 100.0 * math.exp(x)
        price = priced(x, tick_size=float(size))
    steps = round(Fraction(price) / size)
    assert price == float(steps * size)
    lowest = 5.0 if additive else float(size)
    assert abs(price - max(raw, lowest)) <= float(size) / 2 + 1e-12 * raw


@given(st.floats(-15.0, 15.0))
def test_without_a_tick_size_prices_are_not_rounded(x):
    assert priced(x, tick_size=0.0) == pytest.approx(100.0 * math.exp(x), rel=1e-15)
    assert priced(x, tick_size=0.0, price_map="additive") == 100.0 + x


@pytest.mark.parametrize(
    ("model", "lowest"),
    [
        ({"tick_size": 0.01}, 0.01),
        ({"tick_size": 5.0}, 5.0),
        ({"price_map": "additive"}, 0.0001),
        ({"price_map": "additive", "tick_size": 0.0, "floor": 0.3}, 0.3),
        ({"price_map": "additive", "tick_size": 0.01, "floor": 0.07}, 0.07),
        ({"price_map": "additive", "tick_size": 0.5, "floor": 0.7}, 1.0),  # the floor is no point of the grid
    ],
)
def test_the_lowest_price(model, lowest):
    for x in (-1e6, -500.0, -101.0):
        assert priced(x, **model) == lowest


def test_a_price_is_positive_without_a_grid():
    assert 0.0 < priced(-1e6, tick_size=0.0) < 1e-200


@pytest.mark.parametrize("kappa", [20.0, 1e3, 1e300])
def test_an_unstable_euler_step_stays_finite(kappa):
    """Beyond a gap of 2 / kappa the Euler step swings ever wider; the caps bound it."""
    _, price, x = path(5000, Model(step="euler", kappa=kappa, theta=0.5), Schedule(dt_mean_ms=1e3))
    assert np.abs(x).max() == 1e6
    assert np.isfinite(price).all()
    assert 0.0 < price.min() < 1.0
    assert price.max() == 1e12


any_number = st.floats(allow_nan=False, allow_infinity=False)
not_negative = st.floats(0.0, allow_infinity=False)
positive = st.floats(0.0, exclude_min=True, allow_infinity=False)


@settings(max_examples=300)
@given(
    st.builds(
        Model,
        type=st.sampled_from(["vasicek", "brownian", "gbm"]),
        step=st.sampled_from(["exact", "euler"]),
        price_map=st.sampled_from(["exponential", "additive"]),
        kappa=not_negative,
        theta=any_number,
        sigma=not_negative,
        mu=any_number,
        P0=positive,
        x0=any_number,
        tick_size=st.sampled_from([0.0, 1e-4, 5.0]),
        floor=st.floats(5.0, 1e9),
        seconds_per_unit=positive,
    ),
    st.builds(
        Schedule,
        mode=st.sampled_from(["fixed", "poisson"]),
        dt_fixed_ms=st.floats(1e-6, 1e9),
        dt_mean_ms=st.floats(1e-6, 1e9),
    ),
)
@example(Model(sigma=1e308), Schedule())
@example(Model(kappa=0.0, seconds_per_unit=5e-324), Schedule())
@example(Model(type="gbm", sigma=1e200, P0=1e300), Schedule())
def test_whatever_is_configured_prices_are_finite_and_positive(model, schedule):
    with small_chunks(20):
        time, price, x = path(50, model, schedule)
    assert np.isfinite(x).all()
    assert np.isfinite(price).all()
    assert price.min() > 0.0
    assert np.diff(time, prepend=0).min() >= 1


# Seeds


def test_a_seed_has_its_path_for_good():
    """Recorded: run folders of earlier versions must replay."""
    time, price, _ = path(3, Model(), seed=42)
    assert time.tolist() == [120_110_828, 442_683_148, 779_458_658]
    assert price.tolist() == [104.4579, 111.5848, 105.6805]


def test_streams_are_independent_of_each_other():
    """60 streams of neighbouring seeds and names: no pair correlates beyond five standard errors.

    Of 1,770 pairs the largest is expected at 3.5.
    """
    n = 20_000
    names = ["path", "arrivals", "strategy"]
    drawn = [stream(seed, name).standard_normal(n) for seed in range(20) for name in names]
    correlation = np.corrcoef(drawn) - np.eye(len(drawn))
    assert np.abs(correlation).max() < 5.0 / math.sqrt(n)


def test_gaps_and_shocks_are_independent():
    n = 50_000
    time, _, x = path(n, seed=13)
    eps, waits = draws(time, x, RAW, Schedule())
    assert abs(np.corrcoef(eps, waits)[0, 1]) < 4.0 / math.sqrt(n)
    assert abs(np.corrcoef(eps[1:], waits[:-1])[0, 1]) < 4.0 / math.sqrt(n)


def test_seeds_differ_however_large():
    seeds = [0, 1, 2**64, 2**64 + 1, 2**128 - 1, 10**60]
    assert len({path(1, seed=seed)[1][0] for seed in seeds}) == len(seeds)


def test_names_of_streams_cannot_run_together():
    keys = [(1, "a", "b"), (1, "ab"), (1, "a", "b", ""), (11, "a"), (1, "1", "a"), (1, "1a"), (1, "b", "a")]
    assert len({derive(*key) for key in keys}) == len(keys)
    assert all(0 <= derive(*key) < 2**256 for key in keys)


# What a strategy is shown


def seen(ticks, before, model, epoch_ns):
    return list(shown(ticks, before, model, epoch_ns))


def test_a_tick_as_the_strategy_gets_it():
    market = Market(Model(), Schedule(), 1)
    first = market.take(1)
    before = market.time
    ticks = market.take(2)
    epoch = 1_735_689_600_000_000_000
    tick = seen(ticks, before, Model(), epoch)[1]
    assert tick == {
        "ts": epoch + int(ticks.time[1]),
        "ts_sim": ticks.time[1],
        "seq": 3,
        "price": ticks.price[1],
        "asset_id": "X",
        "model_state": {
            "x": ticks.x[1],
            "dt": (ticks.time[1] - ticks.time[0]) * 1e-9,
            "kappa": 0.8,
            "theta": 0.0,
            "sigma": 0.2,
        },
    }
    values = [*tick.values(), *tick["model_state"].values()]
    assert {type(value) for value in values} == {int, float, str, dict}
    assert seen(ticks, before, Model(), 0)[0]["model_state"]["dt"] == (ticks.time[0] - first.time[0]) * 1e-9


@pytest.mark.parametrize("kind", ["brownian", "gbm"])
def test_the_state_of_other_models(kind):
    model = Model(type=kind, mu=0.3)
    ticks = Market(model, Schedule(), 1).take(1)
    state = seen(ticks, 0, model, 0)[0]["model_state"]
    assert state == {"x": ticks.x[0], "dt": ticks.time[0] * 1e-9, "mu": 0.3, "sigma": 0.2}


def test_a_hidden_state_is_nowhere_in_the_tick():
    ticks = Market(Model(), Schedule(), 1).take(3)
    for n, tick in enumerate(seen(ticks, 0, Model(reveal_state=False), 5)):
        assert tick == {
            "ts": 5 + ticks.time[n],
            "ts_sim": ticks.time[n],
            "seq": n + 1,
            "price": ticks.price[n],
            "asset_id": "X",
        }


def test_revealing_has_no_influence_on_the_path():
    assert same(path(100, Model(reveal_state=False)), path(100, Model()))


def test_what_one_strategy_does_to_its_tick_another_does_not_see():
    ticks = Market(Model(), Schedule(), 1).take(1)
    mine, other = seen(ticks, 0, Model(), 0)[0], seen(ticks, 0, Model(), 0)[0]
    mine["price"] = 0.0
    mine["model_state"]["x"] = 0.0
    assert other["price"] == ticks.price[0]
    assert other["model_state"]["x"] == ticks.x[0]


# A market that was drawn elsewhere


@settings(max_examples=50)
@given(
    drawn=st.lists(st.integers(1, 40), min_size=1, max_size=10),
    portions=st.lists(st.integers(1, 60), min_size=1, max_size=20),
    until_ms=st.integers(1, 20_000),
)
def test_given_ticks_are_handed_out_as_a_market_does(drawn, portions, until_ms):
    """Whatever the blocks that they came in."""
    source, one = (Market(RAW, Schedule(), 3) for _ in range(2))
    other = GivenMarket(RAW, iter([source.take(n) for n in drawn]))
    until = until_ms * 1_000_000
    assert (other.price, other.x) == (one.price, one.x)
    while portions and other.peek_time() <= until:
        assert other.peek_time() == one.peek_time()
        taken = other.take(portions.pop(), until)
        assert same(taken[1:], one.take(len(taken.time), until)[1:])
        assert (other.seq, other.time, other.price, other.x) == (one.seq, one.time, one.price, one.x)
    if other.seq == sum(drawn):
        assert other.peek_time() > 2**62  # no tick comes any more, whatever the end of the run
