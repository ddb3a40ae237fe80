"""What a strategy sees and may do: every function of ``ctx``, in a run of the core's loop."""

from __future__ import annotations

import enum
import itertools
import math
import random
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algosim.core.broker import Account
from algosim.core.orders import exposure_fault
from algosim.core.strategy import seed_globals, strategy_seed
from algosim.errors import StrategyError
from algosim.events import encode_line
from algosim.runs.frames import Ended, write_frame
from tests.one_account import Session, trade

TICK_MS = 200.0


def idle(_ctx, _tick):
    pass


def in_init(init, **more):
    """Run a strategy that does something in ``init`` only."""
    return trade(idle, 1, init=init, **more)


def at_first(act):
    """Return an ``on_tick`` that acts at tick 1 only."""

    def on_tick(ctx, tick):
        if tick["seq"] == 1:
            act(ctx)

    return on_tick


def rejects(act, n=1, **settings):
    """Run `act` at the first tick and return the lines that explain rejected orders."""
    session = trade(at_first(act), n, **settings)
    assert not session.failures
    return [text for _, text in session.said("reject")]


# Looking


def test_what_ctx_says_at_every_tick():
    """Two are bought at tick 1; the latency is one tick and a half: filled at tick 2's price, seen at 3."""
    seen = []

    def on_tick(ctx, tick):
        seen.append((ctx.position(), ctx.pending(), ctx.cash(), ctx.equity(), ctx.time(), ctx.history(2)))
        if tick["seq"] == 1:
            ctx.place_market_order("BUY", 2.0)
            seen.append((ctx.position(), ctx.pending(), ctx.cash(), ctx.equity(), ctx.time(), ctx.history(1)))

    session = trade(on_tick, 3, latency_ms=300.0)
    p1, p2, p3 = session.prices.tolist()
    cash = 10_000.0 - 2 * p2
    assert seen == [
        (0.0, 0.0, 10_000.0, 10_000.0, pytest.approx(0.2), [p1]),
        (0.0, 2.0, 10_000.0, 10_000.0, pytest.approx(0.2), [p1]),
        (0.0, 2.0, 10_000.0, 10_000.0, pytest.approx(0.4), [p1, p2]),
        (2.0, 0.0, cash, pytest.approx(cash + 2 * p3, rel=1e-15), pytest.approx(0.6), [p2, p3]),
    ]


def test_before_the_first_tick():
    seen = []

    def init(ctx):
        seen.append((ctx.position(), ctx.pending(), ctx.cash(), ctx.equity(), ctx.time(), ctx.history(5)))

    in_init(init)
    assert seen == [(0.0, 0.0, 10_000.0, 10_000.0, 0.0, [])]


def test_all_that_ctx_hands_out_is_of_built_in_types():
    kinds = []

    def on_tick(ctx, _tick):
        ctx.target(np.float64(1.0))
        numbers = [ctx.position(), ctx.pending(), ctx.cash(), ctx.equity(), ctx.time(), *ctx.history(3)]
        kinds.extend(type(number) for number in numbers)
        kinds.append(type(ctx.get_param("n")))

    trade(on_tick, 5, params={"n": np.float64(2.0).item()})
    assert set(kinds) == {float}


def test_parameters():
    seen = []

    def init(ctx):
        seen.extend(
            [
                ctx.get_param("fast"),
                ctx.get_param("slow", 50),
                ctx.get_param("slow"),
                ctx.get_param("fast", 3),
            ]
        )

    in_init(init, params={"fast": 20})
    assert seen == [20, 50, None, 20]


def test_a_strategy_keeps_things_of_its_own_on_ctx():
    def init(ctx):
        ctx.mean = ctx.indicator.SMA(3)
        ctx.means = []

    def on_tick(ctx, tick):
        ctx.means.append(ctx.mean.update(tick["price"]))
        means[:] = ctx.means

    means = []
    p = trade(on_tick, 4, init=init).prices
    assert means == [None, None, pytest.approx(p[:3].mean()), pytest.approx(p[1:4].mean())]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("positon", r"ctx has no 'positon' \(did you mean 'position'\?\)"),
        ("place_order", r"ctx has no 'place_order' \(did you mean 'place_market_order'\?\)"),
        ("Position", r"did you mean 'position'\?"),
        ("fsat", r"did you mean 'fast'\?"),
        ("xyzzy", r"ctx has no 'xyzzy'$"),
    ],
)
def test_an_unknown_name_gets_a_suggestion(name, message):
    def init(ctx):
        ctx.fast = 1
        getattr(ctx, name)

    with pytest.raises(AttributeError, match=message):
        in_init(init)


def test_an_unknown_indicator_gets_a_suggestion():
    with pytest.raises(AttributeError, match=r"no indicator 'sma' \(did you mean 'SMA'\?\)"):
        in_init(lambda ctx: ctx.indicator.sma(3))


# History


def test_history_ends_with_the_present_price():
    seen = []

    def on_tick(ctx, tick):
        assert ctx.history(1) == [tick["price"]]
        seen.append((ctx.history(3), ctx.history(10_000)))

    session = trade(on_tick, 6)
    p = session.prices.tolist()
    assert seen == [(p[max(0, n - 3) : n], p[:n]) for n in range(1, 7)]
    assert not session.failures


def test_history_beyond_what_is_kept_is_the_last_prices_still():
    """Prices are dropped once more than 80,000 were seen; nothing of it shows."""
    seen = {}

    def on_tick(ctx, tick):
        n = tick["seq"]
        if n % 1537 == 0 or n % 4096 < 2:
            seen[n] = ctx.history(10_000)
            assert ctx.history(7) == seen[n][-7:]

    session = trade(on_tick, 100_000)
    assert not session.failures
    assert max(seen) > 98_000
    for n, history in seen.items():
        assert history == session.prices[max(0, n - 10_000) : n].tolist()


@pytest.mark.parametrize("n", [0, -1, 10_001, 2.5, "20", None])
def test_history_takes_a_number_of_prices(n):
    with pytest.raises(StrategyError, match="whole number from 1 to 10,000"):
        in_init(lambda ctx: ctx.history(n))


def test_history_takes_numpys_integers():
    in_init(lambda ctx: ctx.history(np.int64(2)))


def test_history_cannot_be_used_to_change_the_past():
    def on_tick(ctx, tick):
        ctx.history(5)[-1] = 0.0
        assert ctx.history(1) == [tick["price"]]

    assert not trade(on_tick, 3).failures


# State


def test_state_is_a_json_round_trip():
    kept = []

    def init(ctx):
        value = {"a": (1, 2.5), 3: [None, True, "ü"]}
        ctx.set_state("s", value)
        value["a"] = "changed"
        kept.extend([ctx.get_state("s"), ctx.get_state("none"), ctx.get_state("none", 7)])

    in_init(init)
    assert kept == [{"a": [1, 2.5], "3": [None, True, "ü"]}, None, 7]


@pytest.mark.parametrize("value", [object(), {1, 2}.__iter__(), lambda: 0, "\ud800"], ids=repr)
def test_state_takes_json_values_only(value):
    with pytest.raises(StrategyError, match=r"set_state\('s', ...\) takes numbers.*ctx.name = "):
        in_init(lambda ctx: ctx.set_state("s", value))


def test_what_cannot_end_is_no_state():
    loop = []
    loop.append(loop)
    with pytest.raises(StrategyError, match="set_state"):
        in_init(lambda ctx: ctx.set_state("s", loop))


@pytest.mark.parametrize(("key", "value"), [("n", 2**64), ("\ud800", 1)], ids=ascii)
def test_state_can_be_handed_to_the_next_version(key, value):
    session = Session()

    class Pipe(bytearray):
        def write(self, data):
            self.extend(data)
            return len(data)

    def init(ctx):
        try:
            ctx.set_state(key, value)
        except StrategyError:
            return  # refused is as good

    runner = session.hire(idle, init=init)
    write_frame(Pipe(), Ended(Account("a", 1.0).state, runner.desk.books, runner.desk.state, 0, []))


def test_kept_is_what_the_version_before_left():
    session = Session()
    first = session.hire(idle, init=lambda ctx: ctx.set_state("count", 3))
    session.run(5, first)
    seen = []

    def init(ctx):
        seen.extend([ctx.kept("count"), ctx.kept("other", 1), ctx.get_state("count")])

    session.hire(idle, init=init, kept=first.desk.state, version=2)
    assert seen == [3, 1, None]


# Orders


def test_an_accepted_order_becomes_an_order_event():
    session = trade(
        at_first(
            lambda ctx: ctx.log(ctx.place_market_order("SELL", 3, tag="why")),
        ),
        latency_ms=50.0,
    )
    (order,) = session.orders
    assert (order.seq, order.id, order.number, order.side, order.qty) == (1, "a", 1, "SELL", 3.0)
    assert (order.due, order.tag, order.origin) == (250_000_000, "why", "strategy")
    assert type(order.qty) is float
    assert session.said("log") == [(1, "True")]


BAD_ORDERS = [
    (("buy", 1), r'side must be "BUY" or "SELL", got str \'buy\' \(did you mean \'BUY\'\?\)'),
    (("HOLD", 1), 'side must be "BUY" or "SELL"'),
    ((None, 1), 'side must be "BUY" or "SELL", got NoneType None'),
    ((["BUY"], 1), 'side must be "BUY" or "SELL"'),
    ((np.array(["BUY"]), 1), 'side must be "BUY" or "SELL"'),
    ((np.array(["BUY", "SELL"]), 1), 'side must be "BUY" or "SELL"'),
    (("BUY", 0), "qty must be positive and finite, got 0.0; the side gives the direction"),
    (("BUY", -1.0), "the side gives the direction"),
    (("BUY", math.nan), "qty must be positive and finite, got nan"),
    (("BUY", np.float64("inf")), "qty must be positive and finite, got inf"),
    (("BUY", 10**400), "qty must be a number, got int 10000"),
    (("BUY", "1"), "qty must be a number, got str '1'"),
    (("BUY", None), "qty must be a number, got NoneType None"),
    (("BUY", True), "qty must be a number, got bool True"),
    (("BUY", 1j), "qty must be a number, got complex"),
    (("BUY", 2e6), r"beyond portfolio.max_position 1e\+06.*use ctx.target\(\), or look at ctx.pending\(\)"),
    (("BUY", 1, 5), "tag must be text, got int 5"),
    (("BUY", 1, b"x"), "tag must be text, got bytes b'x'"),
    (("BUY", 1, "x" * 101), "tag has 101 characters; at most 100"),
    (("BUY", 1, "\ud800"), r"tag is not text that UTF-8 can write: '\\ud800'"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_ORDERS, ids=[ascii(bad)[:40] for bad, _ in BAD_ORDERS])
def test_a_bad_order_is_explained_and_the_strategy_goes_on(arguments, message):
    answers = []

    def on_tick(ctx, _tick):
        answers.append(ctx.place_market_order(*arguments))
        answers.append(ctx.place_market_order("BUY", 1.0))
        assert ctx.pending() == 1.0

    session = trade(on_tick, 3)
    assert not session.failures
    assert answers == [False, True] * 3
    assert [order.seq for order in session.orders] == [1, 2, 3]
    lines = session.said("reject")
    assert [seq for seq, _ in lines] == [1, 2, 3]
    for _, text in lines:
        assert text.startswith("order rejected: ")
    assert pytest.raises(ValueError, match=message).matches(ValueError(lines[0][1]))
    assert all(encode_line(event) for event in session.events)


class Side(enum.StrEnum):
    LONG = "BUY"
    SHORT = "SELL"


class OldSide(str, enum.Enum):  # noqa: UP042  (its str() is 'OldSide.LONG')
    LONG = "BUY"
    SHORT = "SELL"


@pytest.mark.parametrize("side", [Side.LONG, OldSide.LONG, np.str_("BUY")], ids=type)
def test_a_side_that_equals_buy_buys(side):
    (order,) = trade(at_first(lambda ctx: ctx.place_market_order(side, 1.0))).orders
    assert (order.side, type(order.side)) == ("BUY", str)


@pytest.mark.parametrize(
    "qty",
    [2, np.float64(2), np.float32(2), np.int64(2), np.array(2.0), Fraction(2), Decimal(2)],
    ids=lambda qty: type(qty).__name__,
)
def test_any_kind_of_number_is_a_quantity(qty):
    for act in (lambda ctx: ctx.place_market_order("BUY", qty), lambda ctx: ctx.target(qty)):
        session = trade(at_first(act))
        (order,) = session.orders
        assert (order.qty, type(order.qty)) == (2.0, float)
        assert (session.fills[0].position, type(session.fills[0].position)) == (2.0, float)


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        (None, ""),
        ("", ""),
        ("ü \N{SNOWMAN}", "ü \N{SNOWMAN}"),
        (np.str_("t"), "t"),
        (OldSide.LONG, "BUY"),
        ("x" * 100, "x" * 100),
    ],
)
def test_tags(tag, written):
    session = trade(at_first(lambda ctx: ctx.place_market_order("BUY", 1.0, tag)))
    assert [order.tag for order in session.orders] == [fill.tag for fill in session.fills] == [written]
    assert type(session.orders[0].tag) is str


@pytest.mark.parametrize("hook", ["init", "on_stop"])
@pytest.mark.parametrize("act", [lambda ctx: ctx.place_market_order("BUY", 1.0), lambda ctx: ctx.target(1.0)])
def test_orders_outside_on_tick_raise(hook, act):
    session = Session()
    with pytest.raises(StrategyError, match="orders can be placed in on_tick only, not in init or on_stop"):  # noqa: PT012
        runner = session.hire(idle, **{hook: act})
        session.run(3, runner)
        runner.stop(session.loop.quote.time)
    assert session.account.placed == 0


def test_orders_per_tick():
    def on_tick(ctx, _tick):
        for _ in range(5):
            ctx.place_market_order("BUY", 1.0)

    session = trade(on_tick, 2, orders_per_tick=3)
    assert [order.seq for order in session.orders] == [1, 1, 1, 2, 2, 2]
    assert [order.number for order in session.orders] == [1, 2, 3, 4, 5, 6]
    fault = "order rejected: more than 3 orders in one tick (limits.orders_per_tick)"
    assert session.said("reject") == [(1, fault)] * 2 + [(2, fault)] * 2


# The limit on position


def test_the_limit_counts_orders_in_flight():
    def act(ctx):
        assert ctx.place_market_order("BUY", 6.0)
        assert not ctx.place_market_order("BUY", 6.0)
        assert ctx.place_market_order("BUY", 4.0)
        assert not ctx.place_market_order("BUY", 0.001)
        assert ctx.place_market_order("SELL", 20.0)
        assert not ctx.place_market_order("SELL", 0.001)

    texts = rejects(act, n=10, max_position=10.0, latency_ms=5000.0)
    assert len(texts) == 3
    assert "position plus pending orders would be 12, beyond portfolio.max_position 10;" in texts[0]


@given(
    st.lists(st.floats(-30.0, 30.0).filter(lambda qty: abs(qty) > 1e-6), max_size=20),
    st.sampled_from([0.0, 2 * TICK_MS]),
)
def test_position_plus_pending_never_pass_the_limit(wanted, latency_ms):
    def on_tick(ctx, tick):
        qty = wanted[tick["seq"] - 1]
        before = ctx.position() + ctx.pending()
        accepted = ctx.place_market_order("BUY" if qty > 0 else "SELL", abs(qty))
        assert abs(ctx.position() + ctx.pending()) <= 10.0 + 1e-9
        assert accepted == (abs(before + qty) <= 10.0) or abs(abs(before + qty) - 10.0) < 1e-9

    session = trade(on_tick, len(wanted), max_position=10.0, latency_ms=latency_ms)
    assert not session.failures


def test_beyond_the_limit_less_is_allowed_and_more_is_not():
    """An account may be there: the limit was lowered, or came with another strategy's configuration."""
    assert exposure_fault(15.0, -2.0, 10.0) == ""
    assert exposure_fault(-15.0, 2.0, 10.0) == ""
    assert exposure_fault(15.0, 0.5, 10.0) != ""
    assert exposure_fault(15.0, -31.0, 10.0) != ""


# Target


def test_target_counts_what_is_in_flight():
    """At a latency of three ticks, a target that stays is ordered once."""
    answers = []

    def on_tick(ctx, tick):
        answers.append(ctx.target(2.0 if tick["seq"] < 6 else -1.0))

    session = trade(on_tick, 12, latency_ms=3 * TICK_MS)
    assert [(order.seq, order.side, order.qty) for order in session.orders] == [
        (1, "BUY", 2.0),
        (6, "SELL", 3.0),
    ]
    assert answers == [n in (1, 6) for n in range(1, 13)]
    assert session.account.portfolio.position == -1.0


@settings(max_examples=60)
@given(
    st.lists(st.integers(-30, 30).map(lambda tenths: tenths / 10), min_size=1, max_size=30),
    st.sampled_from([0.0, 100.0, 200.0, 700.0]),
)
def test_position_plus_pending_is_the_last_target(targets, latency_ms):
    """In tenths, whose sums are not exact; no order is for a rounding error."""

    def on_tick(ctx, tick):
        n = tick["seq"]
        before = targets[min(n, len(targets) + 1) - 2] if n > 1 else 0.0
        target = targets[min(n, len(targets)) - 1]
        assert ctx.target(target) == (target != before)
        assert ctx.position() + ctx.pending() == pytest.approx(target, abs=1e-12)

    session = trade(on_tick, len(targets) + 10, latency_ms=latency_ms)
    assert not session.failures
    assert session.account.portfolio.position == pytest.approx(targets[-1], abs=1e-12)
    assert (session.account.portfolio.position == 0.0) == (targets[-1] == 0.0)
    assert all(order.qty > 0.09 for order in session.orders)


def test_going_flat_twice_is_one_order():
    """In tenths, whose sums are not exact, with one order filled and one in flight."""
    for first, second in itertools.product(range(-15, 16, 3), range(-15, 16, 2)):
        targets = {1: first / 10, 4: second / 10, 5: 0.0, 6: 0.0}

        def on_tick(ctx, tick, targets=targets):
            if tick["seq"] in targets:
                ctx.target(targets[tick["seq"]])

        session = trade(on_tick, 10, latency_ms=3 * TICK_MS)
        assert all(order.qty > 0.09 for order in session.orders), (first, second)


@pytest.mark.parametrize("qty", ["much", None, [1]])
def test_a_target_that_is_no_number_is_explained(qty):
    (text,) = rejects(lambda ctx: ctx.target(qty))
    assert "target(qty) takes a" in text
    assert "number, got" in text


def test_a_target_of_nan_is_explained():
    (text,) = rejects(lambda ctx: ctx.target(math.nan))
    assert "nan" in text


def test_a_target_of_infinity_is_explained():
    (text,) = rejects(lambda ctx: ctx.target(math.inf))
    assert "inf" in text


# Saying and drawing


def test_log_lines():
    def on_tick(ctx, _tick):
        ctx.log("first")
        ctx.log(2.5)

    session = trade(on_tick, 2)
    assert session.said("log") == [(1, "first"), (1, "2.5"), (2, "first"), (2, "2.5")]


def test_a_log_line_can_always_be_written():
    def on_tick(ctx, _tick):
        ctx.log("\ud800")
        ctx.log("x" * 5000)

    session = trade(on_tick, 1)
    broken, long = (text for _, text in session.said("log"))
    assert broken == "\\ud800"
    assert len(long) < 2100
    assert all(encode_line(event) for event in session.events)


def test_plots():
    def on_tick(ctx, tick):
        n = tick["seq"]
        if n == 1:
            ctx.plot("a", np.float64(1.5))
            ctx.plot("b", 2)
            ctx.plot("a", 3)
        elif n == 2:
            ctx.plot("a", None)
            ctx.plot("b", math.nan)
            ctx.plot("c", -math.inf)

    session = trade(on_tick, 3)
    assert [(plot.seq, plot.id, plot.values) for plot in session.plots] == [
        (1, "a", {"a": 3.0, "b": 2.0}),
        (2, "a", {"a": None, "b": None, "c": None}),
    ]
    assert {type(value) for value in session.plots[0].values.values()} == {float}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a", "high"), r"plot\('a', value\) takes a number or None, got str"),
        (("a", [1]), "takes a number or None, got list"),
        (("", 1), "a name of 1 to 60 characters"),
        (("x" * 61, 1), "a name of 1 to 60 characters"),
        ((5, 1), "a name of 1 to 60 characters, got 5"),
    ],
)
def test_a_plot_that_cannot_be_drawn_raises(arguments, message):
    with pytest.raises(StrategyError, match=message):
        in_init(lambda ctx: ctx.plot(*arguments))


def test_a_plot_can_always_be_written():
    def on_tick(ctx, _tick):
        ctx.plot("\ud800", 1.0)

    assert all(encode_line(event) for event in trade(on_tick, 1).events)


def test_indicators_are_recorded_as_lines():
    def init(ctx):
        ctx.mean = ctx.indicator.SMA(2)
        ctx.bands = ctx.indicator.Bollinger(2, 1.0)

    def on_tick(ctx, tick):
        ctx.mean.update(tick["price"])
        ctx.bands.update(tick["price"])

    session = trade(on_tick, 3, init=init, lines=True)
    names = ["SMA(2)", *(f"Bollinger(2, 1) {band}" for band in ("lower", "middle", "upper"))]
    assert session.plots[0].values == dict.fromkeys(names)
    values = session.plots[2].values
    p = session.prices[1:3]
    assert values["SMA(2)"] == pytest.approx(p.mean())
    assert values["Bollinger(2, 1) lower"] == pytest.approx(p.mean() - p.std(ddof=1))
    assert not trade(on_tick, 3, init=init).plots


# Chance


def numbers(seed, id="a", version=1):
    drawn = []
    Session(seed=seed, id=id).hire(idle, init=lambda ctx: drawn.extend(ctx.rng.random(3)), version=version)
    return tuple(drawn)


def test_each_version_of_each_strategy_has_its_own_stream():
    streams = [numbers(1), numbers(2), numbers(1, "b"), numbers(1, "a", 2), numbers(1, "a1", 1)]
    assert len(set(streams)) == 5
    assert numbers(1) == streams[0]


def test_global_generators_are_seeded_from_the_strategys_stream():
    def drawn(*key):
        seed_globals(strategy_seed(*key))
        return random.random(), np.random.random()  # noqa: NPY002

    assert drawn(1, "a", 1) == drawn(1, "a", 1)
    values = {value for key in [(1, "a", 1), (2, "a", 1), (1, "b", 1), (1, "a", 2)] for value in drawn(*key)}
    assert len(values) == 8
