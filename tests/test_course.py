"""When the next tick of a live run is due, and where the run pauses or ends."""

from __future__ import annotations

import msgspec
import pytest

from algosim import settings
from algosim.core.market import Market
from algosim.live.course import Course

SEED = 5


def course(**over):
    """Return a course that goes on at once: fixed gaps of 200 ms unless said otherwise."""
    base = {"schedule.mode": "fixed", "schedule.speed": "max", "transport.window": 4}
    config = settings.with_settings(settings.load({}), {**base, **over})
    made = Course(config, SEED, 0.0)
    made.pacer.resume(0.0)
    return made


def test_ticks_are_the_markets():
    made = course(**{"schedule.mode": "poisson"})
    config = settings.load({})
    expected = Market(config.model, config.schedule, SEED).take(4)
    found = []
    for _ in range(4):
        made.advance(0.0)
        found.append((made.market.time, made.market.price))
    assert found == list(zip(expected.time.tolist(), expected.price.tolist(), strict=True))


def test_a_full_window_waits_for_credit():
    made = course()
    for _ in range(4):
        assert made.wait(0.0) == 0.0
        made.advance(0.0)
    assert made.wait(0.0) is None
    made.done(1)
    assert made.wait(0.0) == 0.0
    assert made.open == 3


@pytest.mark.parametrize("credit", [0, 5, 2**63])
def test_credit_for_what_was_not_released_is_none(credit):
    made = course()
    for _ in range(4):
        made.advance(0.0)
    made.done(credit)
    assert (made.wait(0.0), made.open) == (None, 4)


def test_an_old_tick_that_is_not_done_holds_the_next_one_back():
    made = course()
    made.advance(0.0)
    assert made.wait(0.19) == 0.0
    assert made.wait(0.21) is None
    made.done(1)
    assert made.wait(0.21) == 0.0


def test_the_gap_is_waited_for_at_the_speed():
    made = course(**{"schedule.speed": 4.0})
    assert made.wait(0.0) == pytest.approx(0.05)
    assert made.wait(0.03) == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("limit", "ticks", "end"),
    [
        ({"run.ticks": 3}, 3, 600_000_000),
        ({"run.duration_s": 0.7}, 3, 700_000_000),
        ({"run.duration_s": 0.6}, 3, 600_000_000),
        ({"run.ticks": 2, "run.duration_s": 60.0}, 2, 400_000_000),
    ],
)
def test_the_end_comes_after_the_last_tick_within_the_limits(limit, ticks, end):
    made = course(**limit)
    for _ in range(ticks):
        assert made.end is None
        made.advance(0.0)
    assert made.end == end
    assert made.wait(0.0) == 0.0


@pytest.mark.parametrize("target", [{"ticks": 2, "time": None}, {"ticks": None, "time": 599_999_999}])
def test_a_target_is_a_pause_before_the_first_tick_beyond_it(target):
    made = course()
    assert made.aim(**target) == ""
    for _ in range(2):
        assert not made.arrived
        made.advance(0.0)
    assert made.arrived
    made.pause(0.0)
    assert made.wait(0.0) is None
    made.pacer.resume(0.0)
    assert not made.arrived


@pytest.mark.parametrize("target", [{"ticks": 1, "time": None}, {"ticks": None, "time": 399_999_999}])
def test_a_target_that_has_passed_is_refused(target):
    made = course()
    made.advance(0.0)
    made.advance(0.0)
    assert "already at tick 2, 0.400 s" in made.aim(**target)
    assert not made.arrived


def test_a_parameter_changes_the_gap_that_runs():
    made = course(**{"schedule.speed": 1.0})
    assert made.wait(0.1) == pytest.approx(0.1)
    made.market.change(made.market.model, msgspec.structs.replace(made.market.schedule, dt_fixed_ms=300.0))
    assert made.wait(0.1) == pytest.approx(0.2)
