"""The books of an account against the same books in exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosim.core.portfolio import Portfolio, snap

CASH = 10_000.0


class Exact:
    """Average cost in fractions: lots of one side, closed in equal parts at their average price."""

    def __init__(self, cash):
        self.cash = Fraction(cash)
        self.quantity = self.cost = self.realized = Fraction(0)

    def fill(self, signed, price, commission):
        before = self.realized
        self.cash -= signed * price + commission
        self.realized -= commission
        closes = Fraction(0)
        if self.quantity * signed < 0:
            closes = max(signed, -self.quantity) if signed < 0 else min(signed, -self.quantity)
            part = -closes / self.quantity
            self.realized += part * (self.quantity * price - self.cost)
            self.cost -= part * self.cost
        self.cost += (signed - closes) * price
        self.quantity += signed
        return self.realized - before

    def equity(self, price):
        return self.cash + self.quantity * price

    def unrealized(self, price):
        return self.quantity * price - self.cost


def booked(*fills, cash=CASH):
    """Return a portfolio after fills of (signed quantity, price, commission)."""
    portfolio = Portfolio(cash)
    for signed, price, *commission in fills:
        portfolio.apply(signed, price, *(commission or [0.0]))
    return portfolio


quantities = st.one_of(
    st.integers(-5, 5).map(float),
    st.integers(-30, 30).map(lambda tenths: tenths / 10),
    st.floats(-1e3, 1e3).filter(lambda qty: abs(qty) > 1e-3),
).filter(bool)
prices = st.floats(0.01, 1e4)
fills = st.lists(st.tuples(quantities, prices, st.floats(0.0, 10.0), prices), max_size=30)


@given(fills)
def test_the_books_are_those_of_exact_arithmetic(rows):
    """At every fill and at a mark after it, to 1e-9 of the money moved so far."""
    portfolio, exact, moved = Portfolio(CASH), Exact(CASH), CASH
    for signed, price, commission, mark in rows:
        profit = portfolio.apply(signed, price, commission)
        exact_profit = exact.fill(Fraction(signed), Fraction(price), Fraction(commission))
        moved += abs(signed) * max(price, mark) + commission
        close = {"rel": 0.0, "abs": 1e-9 * moved}
        assert profit == pytest.approx(float(exact_profit), **close)
        assert portfolio.position == pytest.approx(
            float(exact.quantity), abs=1e-11 * (1.0 + abs(signed)), rel=1e-9
        )
        assert portfolio.cash == pytest.approx(float(exact.cash), **close)
        assert portfolio.realized == pytest.approx(float(exact.realized), **close)
        for at in (price, mark):
            assert portfolio.equity(at) == pytest.approx(float(exact.equity(Fraction(at))), **close)
            assert portfolio.unrealized(at) == pytest.approx(float(exact.unrealized(Fraction(at))), **close)
            identity = CASH + portfolio.realized + portfolio.unrealized(at)
            assert portfolio.equity(at) == pytest.approx(identity, **close)
            assert portfolio.equity(at) == portfolio.cash + portfolio.position * at


@given(st.lists(st.tuples(st.integers(-8, 8).filter(bool), st.integers(1, 4000)), max_size=30))
def test_equity_is_continuous(rows):
    """A fill at the price of the mark moves equity by its commission only; all sums here are exact."""
    portfolio = Portfolio(CASH)
    for units, quarters in rows:
        price = quarters / 4
        before = portfolio.equity(price)
        portfolio.apply(float(units), price, 0.25)
        assert portfolio.equity(price) == before - 0.25


@given(st.lists(st.tuples(st.integers(-30, 30).filter(bool), prices, st.booleans()), max_size=40))
def test_a_position_in_decimals_is_flat_when_a_person_says_so(rows):
    """Tenths, whose binary sums are not exact; in every second row, what is held is closed."""
    portfolio, tenths = Portfolio(CASH), 0
    for signed, price, closes in rows:
        change = -tenths if closes and tenths else signed
        portfolio.apply(change / 10, price, 0.0)
        tenths += change
        assert (portfolio.position == 0.0) == (tenths == 0)
        assert (portfolio.average == 0.0) == (tenths == 0)
        assert portfolio.position == pytest.approx(tenths / 10, abs=1e-12)
        if tenths == 0:
            assert portfolio.unrealized(1e4) == 0.0


def test_opening_and_adding_averages_the_price():
    portfolio = booked((2.0, 100.0), (1.0, 106.0))
    assert portfolio == Portfolio(cash=CASH - 306.0, position=3.0, average=102.0, realized=0.0)
    assert portfolio.unrealized(103.0) == 3.0


def test_closing_a_part_keeps_the_average():
    portfolio = booked((4.0, 100.0), (-1.0, 110.0))
    assert portfolio == Portfolio(cash=CASH - 290.0, position=3.0, average=100.0, realized=10.0)


def test_closing_all_leaves_nothing_open():
    portfolio = booked((4.0, 100.0), (-4.0, 90.0))
    assert portfolio == Portfolio(cash=CASH - 40.0, position=0.0, average=0.0, realized=-40.0)
    assert portfolio.unrealized(1e9) == 0.0


def test_a_flip_closes_at_the_old_average_and_opens_at_the_new_price():
    portfolio = booked((2.0, 100.0), (-5.0, 104.0))
    assert portfolio == Portfolio(cash=CASH + 320.0, position=-3.0, average=104.0, realized=8.0)
    portfolio.apply(4.0, 103.0, 0.0)
    assert portfolio == Portfolio(cash=CASH - 92.0, position=1.0, average=103.0, realized=11.0)


def test_a_short_position_gains_when_the_price_falls():
    portfolio = booked((-2.0, 100.0))
    assert portfolio.cash == CASH + 200.0
    assert portfolio.unrealized(90.0) == 20.0
    assert portfolio.equity(90.0) == CASH + 20.0
    assert portfolio.apply(2.0, 95.0, 0.0) == 10.0


def test_commission_is_a_realised_loss_at_once():
    portfolio = Portfolio(CASH)
    assert portfolio.apply(2.0, 100.0, 1.5) == -1.5
    assert portfolio.realized == -1.5
    assert portfolio.average == 100.0
    assert portfolio.apply(-2.0, 103.0, 1.5) == 4.5
    assert portfolio.realized == 3.0
    assert portfolio.cash == CASH + 3.0


def test_equity_may_go_negative():
    assert booked((-100.0, 100.0), cash=1000.0).equity(200.0) == -9000.0


@pytest.mark.parametrize(
    ("value", "scale", "snapped"),
    [
        (0.3 - 0.1 - 0.2, 0.3, 0.0),
        (1e-13, 1.0, 0.0),
        (-1e-13, 1.0, 0.0),
        (1e-11, 1.0, 1e-11),
        (1e-13, 1e-12, 1e-13),
        (0.0, 0.0, 0.0),
        (1e-300, 1e-300, 1e-300),
        (1e6, 1e6, 1e6),
    ],
)
def test_only_rounding_error_is_snapped(value, scale, snapped):
    assert snap(value, scale) == snapped
