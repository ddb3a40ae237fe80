"""The stochastic processes of the market: how the state x moves over a gap, given its shock.

Every process is linear in the state over one gap: ``x' = a x + b + s eps`` with ``eps ~ N(0, 1)``. The
coefficients depend on the gap alone, so they are computed for many gaps at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from algosim.config import Model

    Floats = NDArray[np.float64]

__all__ = ["Brownian", "Coefficients", "GeometricBrownian", "Vasicek", "process"]


class Coefficients(NamedTuple):
    """``x' = a x + b + s eps`` for each gap; arrays of shape (n,)."""

    a: Floats
    b: Floats
    s: Floats


class Vasicek(NamedTuple):
    """Ornstein-Uhlenbeck process ``dX = kappa (theta - X) dt + sigma dW`` (Vasicek 1977).

    Parameters
    ----------
    kappa : float
        Speed of mean reversion, 1/unit, at least 0; 0 is Brownian motion.
    theta : float
        Level that the state reverts to.
    sigma : float
        Volatility, 1/sqrt(unit).
    euler : bool
        Use the Euler step instead of the exact one, to show its error.
    """

    kappa: float
    theta: float
    sigma: float
    euler: bool = False

    def coefficients(self, gap: Floats) -> Coefficients:
        """Return the step over each gap, in model time units; the exact step after Gillespie (1996)."""
        k = self.kappa
        if self.euler:
            return Coefficients(1.0 - k * gap, k * self.theta * gap, self.sigma * np.sqrt(gap))
        decay = np.expm1(-k * gap)
        variance = -np.expm1(-2.0 * k * gap) / (2.0 * k) if k > 0.0 else gap
        return Coefficients(1.0 + decay, -self.theta * decay, self.sigma * np.sqrt(variance))


class Brownian(NamedTuple):
    """Arithmetic Brownian motion ``dX = mu dt + sigma dW``."""

    mu: float
    sigma: float

    def coefficients(self, gap: Floats) -> Coefficients:
        """Return the (exact) step over each gap, in model time units."""
        return Coefficients(np.ones_like(gap), self.mu * gap, self.sigma * np.sqrt(gap))


class GeometricBrownian(NamedTuple):
    """Geometric Brownian motion ``dP = mu P dt + sigma P dW``, as its logarithm ``X = log(P / P0)``."""

    mu: float
    sigma: float

    def coefficients(self, gap: Floats) -> Coefficients:
        """Return the (exact) step of the logarithm over each gap, in model time units."""
        drift = self.mu - 0.5 * self.sigma * self.sigma
        return Coefficients(np.ones_like(gap), drift * gap, self.sigma * np.sqrt(gap))


def process(model: Model) -> Vasicek | Brownian | GeometricBrownian:
    """Return the process that a configuration's ``model`` block describes."""
    if model.type == "vasicek":
        return Vasicek(model.kappa, model.theta, model.sigma, euler=model.step == "euler")
    if model.type == "brownian":
        return Brownian(model.mu, model.sigma)
    return GeometricBrownian(model.mu, model.sigma)
