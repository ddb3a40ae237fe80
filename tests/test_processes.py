"""The processes against their closed forms: as coefficients, and as what a simulated path shows.

Where a simulation is compared with theory, the tolerance is four standard errors of the estimate, computed
from the sample itself; the seeds are fixed.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosim.config import Model, Schedule
from algosim.core.market import Market
from algosim.core.processes import Brownian, GeometricBrownian, Vasicek, process

KAPPA, SIGMA, DT = 0.8, 0.2, 0.15
STATIONARY_SD = SIGMA / math.sqrt(2.0 * KAPPA)


def step(walk, gap):
    """Return a, b and s of ``x' = a x + b + s eps`` over one gap."""
    a, b, s = walk.coefficients(np.array([gap]))
    return float(a[0]), float(b[0]), float(s[0])


def in_steps(walk, *gaps):
    """Return the coefficients of several steps taken one after the other."""
    a, b, variance = 1.0, 0.0, 0.0
    for gap in gaps:
        slope, shift, scale = step(walk, gap)
        a, b, variance = slope * a, slope * b + shift, slope * slope * variance + scale * scale
    return a, b, math.sqrt(variance)


def ticks(n, seed, *, dt_ms=150.0, mode="fixed", **model):
    """Simulate `n` ticks of a market whose prices are not rounded."""
    schedule = Schedule(mode=mode, dt_fixed_ms=dt_ms, dt_mean_ms=dt_ms)
    market = Market(Model(**{"tick_size": 0.0, **model}), schedule, seed)
    parts = []
    while market.seq < n:
        parts.append(market.take(n - market.seq))
    return (np.concatenate([getattr(part, name) for part in parts]) for name in ("time", "price", "x"))


def with_error(values, batches=100):
    """Return the mean of a stationary series and its standard error, by means of batches.

    The batches must be much longer than the correlation lasts.
    """
    size = len(values) // batches
    means = values[: size * batches].reshape(batches, size).mean(axis=1)
    return means.mean(), means.std(ddof=1) / math.sqrt(batches)


def near(estimate, error, truth):
    return abs(estimate - truth) <= 4.0 * error


def coefficients(name):
    return {
        "vasicek": Vasicek(0.8, 0.3, 0.2),
        "no reversion": Vasicek(0.0, 0.3, 0.2),
        "brownian": Brownian(0.1, 0.2),
        "gbm": GeometricBrownian(0.1, 0.2),
    }[name]


EXACT = ["vasicek", "no reversion", "brownian", "gbm"]
gaps = st.floats(1e-6, 10.0)


# Ornstein-Uhlenbeck: the exact step


def test_the_exact_step_has_the_moments_of_theory():
    a, b, s = step(Vasicek(KAPPA, 0.0, SIGMA), DT)
    assert a * 0.1 + b == pytest.approx(0.0886920, abs=5e-8)
    assert s == pytest.approx(0.0730363, abs=5e-8)


def test_the_level_enters_the_mean():
    a, b, _ = step(Vasicek(KAPPA, 0.5, SIGMA), DT)
    assert a * 0.1 + b == pytest.approx(0.5 + (0.1 - 0.5) * math.exp(-KAPPA * DT), rel=1e-14)


def test_half_of_a_deviation_is_gone_after_the_half_life():
    a, b, _ = step(Vasicek(KAPPA, 0.0, SIGMA), 0.866434)
    assert a == pytest.approx(0.5, abs=5e-7)
    assert b == 0.0


def test_after_a_long_gap_the_state_is_stationary():
    a, b, s = step(Vasicek(KAPPA, 0.3, SIGMA), 1e3)
    assert (a, b) == (0.0, 0.3)
    assert s == pytest.approx(0.158114, abs=5e-7)


def test_one_step_leaves_the_stationary_law_as_it_is():
    a, _, s = step(Vasicek(KAPPA, 0.0, SIGMA), DT)
    assert math.sqrt(s * s / (1.0 - a * a)) == pytest.approx(0.158114, abs=5e-7)


def test_the_euler_step_has_too_much_stationary_variance():
    a, _, s = step(Vasicek(KAPPA, 0.0, SIGMA, euler=True), DT)
    ratio = s * s / (1.0 - a * a) / STATIONARY_SD**2
    assert ratio == pytest.approx(1.0638, abs=5e-5)
    assert ratio == pytest.approx(1.0 / (1.0 - KAPPA * DT / 2.0), rel=1e-12)


def test_the_euler_step_tends_to_the_exact_one():
    """Its error in one step is of second order in the mean and in the variance."""
    errors = []
    for gap in (0.02, 0.01):
        exact = step(Vasicek(KAPPA, 0.5, SIGMA), gap)
        euler = step(Vasicek(KAPPA, 0.5, SIGMA, euler=True), gap)
        errors.append((exact[0] - euler[0], exact[1] - euler[1], exact[2] ** 2 - euler[2] ** 2))
    for coarse, fine in zip(*errors, strict=True):
        assert coarse / fine == pytest.approx(4.0, rel=0.01)


@pytest.mark.parametrize("name", EXACT)
@given(first=gaps, second=gaps)
def test_two_steps_have_the_law_of_one(name, first, second):
    walk = coefficients(name)
    assert in_steps(walk, first, second) == pytest.approx(step(walk, first + second), rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("name", EXACT)
@given(gap=gaps, pieces=st.integers(2, 50))
def test_the_law_over_a_gap_does_not_depend_on_the_number_of_steps(name, gap, pieces):
    walk = coefficients(name)
    assert in_steps(walk, *[gap / pieces] * pieces) == pytest.approx(step(walk, gap), rel=1e-11, abs=1e-13)


def test_euler_depends_on_the_number_of_steps():
    """What the two tests above could not see."""
    walk = Vasicek(KAPPA, 0.3, SIGMA, euler=True)
    assert in_steps(walk, 0.5, 0.5)[2] != pytest.approx(step(walk, 1.0)[2], rel=1e-3)


# No reversion


@given(theta=st.floats(-1e3, 1e3), sigma=st.floats(0.0, 10.0), gap=st.floats(1e-9, 1e4))
def test_without_reversion_it_is_brownian_motion(theta, sigma, gap):
    assert step(Vasicek(0.0, theta, sigma), gap) == step(Brownian(0.0, sigma), gap)


@given(exponent=st.floats(-280.0, -3.0), gap=st.floats(1e-6, 1.0))
def test_reversion_fades_out_continuously(exponent, gap):
    """To first order in kappa: a = 1 - k dt, b = k theta dt, s = sigma sqrt(dt) (1 - k dt / 2)."""
    z = 10.0**exponent * gap
    a, b, s = step(Vasicek(10.0**exponent, 2.0, 0.2), gap)
    assert a == pytest.approx(1.0 - z, abs=z * z + 1e-15)
    assert b == pytest.approx(2.0 * z, rel=z + 1e-12)
    assert s == pytest.approx(0.2 * math.sqrt(gap) * (1.0 - z / 2.0), rel=z * z + 1e-12)


# Brownian motion and its geometric sister


def test_brownian_moments():
    assert step(Brownian(0.3, 0.2), 0.25) == pytest.approx((1.0, 0.075, 0.1), rel=1e-14)


@given(mu=st.floats(-1.0, 1.0), sigma=st.floats(0.0, 1.0), gap=st.floats(1e-6, 10.0))
def test_the_expected_price_of_gbm_grows_at_mu(mu, sigma, gap):
    """``E[exp(b + s eps)] = exp(b + s^2 / 2)``, which must be ``exp(mu dt)``."""
    a, b, s = step(GeometricBrownian(mu, sigma), gap)
    assert a == 1.0
    assert s * s == pytest.approx(sigma * sigma * gap, rel=1e-12)
    assert b + s * s / 2.0 == pytest.approx(mu * gap, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (
            {"type": "vasicek"},
            (math.exp(-0.07), 0.1 * (1.0 - math.exp(-0.07)), 0.3 * math.sqrt((1.0 - math.exp(-0.14)) / 1.4)),
        ),
        ({"type": "vasicek", "step": "euler"}, (0.93, 0.007, 0.3 * math.sqrt(0.1))),
        ({"type": "brownian"}, (1.0, 0.005, 0.3 * math.sqrt(0.1))),
        ({"type": "gbm"}, (1.0, 0.1 * (0.05 - 0.045), 0.3 * math.sqrt(0.1))),
    ],
)
def test_each_kind_of_model_is_its_process(kind, expected):
    model = Model(**kind, kappa=0.7, theta=0.1, sigma=0.3, mu=0.05)
    assert step(process(model), 0.1) == pytest.approx(expected, rel=1e-12)


# Paths


@pytest.mark.parametrize("mode", ["fixed", "poisson"])
def test_transitions_of_a_path_have_the_moments_of_theory(mode):
    """The shocks found back with the textbook's formulas are standard normal and uncorrelated."""
    time, _, x = ticks(100_000, seed=1, mode=mode)
    gap = np.diff(time) * 1e-9
    before, after = x[:-1], x[1:]
    mean = before * np.exp(-KAPPA * gap)
    sd = SIGMA * np.sqrt((1.0 - np.exp(-2.0 * KAPPA * gap)) / (2.0 * KAPPA))
    shock = (after - mean) / sd
    n = len(shock)
    assert near(shock.mean(), 1.0 / math.sqrt(n), 0.0)
    assert near(shock.var(), math.sqrt(2.0 / n), 1.0)
    assert near((shock**3).mean(), math.sqrt(15.0 / n), 0.0)
    assert near((shock**4).mean(), math.sqrt(96.0 / n), 3.0)
    assert near((shock[:-1] * shock[1:]).mean(), 1.0 / math.sqrt(n), 0.0)
    assert near((shock * before).mean() / before.std(), 1.0 / math.sqrt(n), 0.0)


@pytest.mark.parametrize("dt_ms", [150.0, 3000.0])
def test_the_stationary_price_and_state(dt_ms):
    """E[100 exp(x)] = 100 exp(sd^2 / 2) = 101.2578 with sd = 0.158114, whatever the step."""
    _, price, x = (values[2_000:] for values in ticks(302_000, seed=2, dt_ms=dt_ms))
    mean, error = with_error(price)
    assert error < 0.2  # or the mean would be near to 100, too
    assert near(mean, error, 101.2578)
    assert near(*with_error(x * x), 0.158114**2)
    assert near(*with_error(x), 0.0)


def test_random_arrivals_see_the_same_stationary_law():
    _, price, x = (values[2_000:] for values in ticks(302_000, seed=3, mode="poisson"))
    assert near(*with_error(price), 101.2578)
    assert near(*with_error(x * x), 0.158114**2)


def test_the_euler_path_has_too_much_variance():
    """The step is so long that the excess, a factor of 1.6667, cannot be missed."""
    _, _, x = (values[2_000:] for values in ticks(102_000, seed=4, dt_ms=1000.0, step="euler"))
    mean, error = with_error(x * x)
    assert near(mean, error, STATIONARY_SD**2 / (1.0 - KAPPA / 2.0))
    assert not near(mean, error, STATIONARY_SD**2)


def test_the_correlation_of_the_path_halves_over_the_half_life():
    """Ticks ten to the half-life of ln(2) / 0.8 units."""
    _, _, x = ticks(300_000, seed=5, dt_ms=86.6434)
    x = x[1_000:]
    assert near(*with_error(x[:-10] * x[10:] - 0.5 * x[:-10] ** 2), 0.0)


def test_seconds_per_unit_stretches_time():
    """The same path, ten times slower."""
    time, price, _ = ticks(1000, seed=6, mode="poisson")
    slow_time, slow_price, _ = ticks(1000, seed=6, dt_ms=1500.0, mode="poisson", seconds_per_unit=10.0)
    # the gaps are rounded to whole nanoseconds
    assert slow_time == pytest.approx(10 * time, rel=0, abs=1e4)
    assert slow_price == pytest.approx(price, rel=1e-6)


def test_log_returns_of_gbm():
    """The standard error of the drift is a tenth of a unit: Ito's term of one half is there."""
    dt = 5e-4
    _, price, _ = ticks(200_000, seed=7, dt_ms=1e3 * dt, type="gbm", mu=0.6, sigma=1.0)
    assert price.max() < 1e12  # where the market stops rising
    returns = np.diff(np.log(price))
    n = len(returns)
    assert near(returns.mean(), returns.std() / math.sqrt(n), (0.6 - 0.5) * dt)
    assert near(returns.var(), dt * math.sqrt(2.0 / n), dt)
    growth = np.exp(returns)
    assert near(growth.mean(), growth.std() / math.sqrt(n), math.exp(0.6 * dt))


def test_changes_of_brownian_motion():
    _, price, x = ticks(200_000, seed=8, type="brownian", price_map="additive", mu=0.5, sigma=0.2)
    assert (price == 100.0 + x).all()
    changes = np.diff(x)
    n = len(changes)
    assert near(changes.mean(), changes.std() / math.sqrt(n), 0.5 * DT)
    assert near(changes.var(), 0.04 * DT * math.sqrt(2.0 / n), 0.04 * DT)


def test_no_reversion_is_a_path_of_brownian_motion():
    _, price, _ = ticks(5000, seed=9, kappa=0.0)
    _, brownian, _ = ticks(5000, seed=9, type="brownian")
    assert (price == brownian).all()
