"""The pacer on a clock of the test's own; simulated times in ns, wall times in seconds."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosim.live.pacing import STALL_S, Pacer

S = 1_000_000_000


def running(speed=1.0, now=0.0):
    pacer = Pacer(speed, now)
    pacer.resume(now)
    return pacer


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def release_all(pacer, times, *, now=0.0, wake=lambda wait: wait + 1e-9):
    """Release ticks as the simulator does; return when each one was. `wake` says how long a wait takes."""
    walls = []
    for t in times:
        while (wait := pacer.wait(t, now)) > 0.0:
            now += wake(wait)
        pacer.released(t, now)
        walls.append(now)
    return walls


@pytest.mark.parametrize("speed", [0.25, 1.0, 8.0, 1000.0])
def test_ticks_come_at_their_times_however_late_each_one_is(speed):
    """A poll wakes up at a whole millisecond and up to 2 ms late; over 5,000 ticks nothing of it adds up."""
    rng = random.Random(1)
    gaps = [rng.expovariate(1 / 0.15) for _ in range(5000)]
    times, t = [], 0
    for gap in gaps:
        t += round(gap * S)
        times.append(t)
    walls = release_all(
        running(speed), times, wake=lambda wait: math.ceil(wait * 1e3) / 1e3 + rng.random() / 500
    )
    late = [wall - t / S / speed for wall, t in zip(walls, times, strict=True)]
    assert min(late) > -1e-6
    assert max(late) < 3.1e-3


def test_a_pause_keeps_the_rest_of_the_gap():
    pacer = running()
    pacer.pause(0.3)
    assert pacer.paused
    pacer.pause(2.0)
    pacer.resume(10.0)
    assert not pacer.paused
    assert pacer.wait(S, 10.0) == close(0.7)
    pacer.resume(10.5)  # resumed already
    assert pacer.wait(S, 10.5) == close(0.2)


def test_time_stands_still_before_the_start():
    pacer = Pacer(1.0, 5.0)
    assert pacer.paused
    pacer.resume(90.0)
    assert pacer.wait(S, 90.0) == 1.0


def test_another_speed_holds_for_the_rest_of_the_gap():
    pacer = running()
    pacer.set_speed(2.0, 0.4)
    assert pacer.wait(S, 0.4) == close(0.3)
    pacer.set_speed(0.5, 0.5)
    assert pacer.wait(S, 0.5) == close(0.8)
    assert pacer.wait(S, 1.3) == close(0.0)


def test_speed_may_change_during_a_pause():
    pacer = running()
    pacer.pause(0.5)
    pacer.set_speed(5.0, 3.0)
    pacer.resume(4.0)
    assert pacer.wait(S, 4.0) == close(0.1)


speeds = st.one_of(st.sampled_from([0.1, 1.0, 60.0]), st.just("max"))
deeds = st.one_of(st.tuples(st.just("speed"), speeds), st.just(("pause", None)), st.just(("resume", None)))


@given(speeds, st.lists(st.tuples(st.floats(0.0, 5.0), deeds), max_size=12), st.floats(0.0, 5.0))
def test_what_has_passed_of_a_gap_is_the_integral_of_the_speed(speed, deeds, rest):
    pacer, now, paused, passed = running(speed), 0.0, False, 0.0

    def pass_by(seconds):
        return 0.0 if paused or speed == "max" else seconds * speed

    for seconds, (deed, value) in deeds:
        now += seconds
        passed += pass_by(seconds)
        if deed == "speed":
            speed = value
            pacer.set_speed(value, now)
        elif deed == "pause":
            paused = True
            pacer.pause(now)
        else:
            paused = False
            pacer.resume(now)
    now += rest
    passed += pass_by(rest)
    gap = 100.0
    expected = 0.0 if speed == "max" else max(0.0, (gap - passed) / speed)
    assert pacer.wait(round(gap * S), now) == pytest.approx(expected, abs=1e-6)


def test_a_stall_is_not_made_up_for():
    pacer = running()
    pacer.released(S, 1.0)
    pacer.released(2 * S, 7.0)  # five seconds late: the laptop slept
    assert release_all(pacer, [3 * S, 4 * S], now=7.0) == [close(8.0), close(9.0)]


def test_a_little_lateness_is_made_up_for():
    pacer = running()
    pacer.released(S, 1.0 + 0.9 * STALL_S)
    assert pacer.wait(2 * S, 1.0 + 0.9 * STALL_S) == close(1.0 - 0.9 * STALL_S)


def test_a_strategy_that_is_always_too_slow_gets_no_burst_when_it_is_fast_again():
    """Ticks are 10 ms apart; for 100 of them each takes 30 ms, then none takes any time."""
    pacer, now = running(), 0.0
    gap = S // 100
    for n in range(1, 101):
        now = max(now, now + pacer.wait(n * gap, now)) + 0.03
        pacer.released(n * gap, now)
    walls = release_all(pacer, [n * gap for n in range(101, 201)], now=now)
    for i, wall in enumerate(walls):
        assert wall >= now + (i + 1) * 0.01 - STALL_S - 1e-9


def test_max_never_waits():
    pacer = running("max")
    for n in range(1, 50):
        assert pacer.wait(n * 3600 * S, 0.0) == 0.0
        pacer.released(n * 3600 * S, 0.0)


def test_from_max_to_a_speed_the_next_gap_is_whole():
    pacer = running("max")
    pacer.released(500 * S, 1.0)
    pacer.set_speed(2.0, 1.0)
    assert pacer.wait(501 * S, 1.0) == close(0.5)
    pacer.set_speed("max", 1.1)
    assert pacer.wait(501 * S, 1.1) == 0.0


def test_a_change_of_the_market_times_the_next_tick_anew():
    """`set` in mid-gap moves the next tick; what has passed of the gap counts."""
    pacer = running()
    pacer.released(S, 1.0)
    assert pacer.wait(3 * S, 1.5) == close(1.5)
    assert pacer.wait(2 * S, 1.5) == close(0.5)
    assert pacer.wait(round(1.2 * S), 1.5) == 0.0
