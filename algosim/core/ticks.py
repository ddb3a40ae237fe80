"""How a tick is shown to a strategy: a dict of built-in types, one of its own for each strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from algosim.config import Model
    from algosim.core.market import Ticks

__all__ = ["model_parameters", "shown"]


def model_parameters(model: Model) -> dict[str, float]:
    """Return the parameters that a tick's ``model_state`` shows beside x and dt."""
    if model.type == "vasicek":
        return {"kappa": model.kappa, "theta": model.theta, "sigma": model.sigma}
    return {"mu": model.mu, "sigma": model.sigma}


def shown(ticks: Ticks, before: int, model: Model, epoch_ns: int) -> list[dict[str, Any]]:
    """Return ticks as a strategy gets them.

    Parameters
    ----------
    ticks : Ticks
    before : int
        Simulated time [ns] of the tick before the first.
    model : Model
        Parameters in force; with ``reveal_state`` false ``model_state`` is left out.
    epoch_ns : int
        What ``ts`` counts from; ``ts_sim`` counts from the start of the run.
    """
    asset = model.asset_id
    times, prices = ticks.time.tolist(), ticks.price.tolist()
    numbers = range(ticks.first, ticks.first + len(times))
    if not model.reveal_state:
        return [
            {"ts": epoch_ns + t, "ts_sim": t, "seq": n, "price": p, "asset_id": asset}
            for n, t, p in zip(numbers, times, prices, strict=True)
        ]
    gaps = (np.diff(ticks.time, prepend=before) * 1e-9).tolist()
    known = model_parameters(model)
    return [
        {
            "ts": epoch_ns + t,
            "ts_sim": t,
            "seq": n,
            "price": p,
            "asset_id": asset,
            "model_state": {"x": x, "dt": dt, **known},
        }
        for n, t, p, x, dt in zip(numbers, times, prices, ticks.x.tolist(), gaps, strict=True)
    ]
