"""How a tick is shown to a strategy: a dict of built-in types, one of its own for each strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algosim.config import Model
    from algosim.core.market import Ticks

__all__ = ["model_parameters", "shown"]


def model_parameters(model: Model) -> dict[str, float]:
    """Return the parameters that a tick's ``model_state`` shows beside x and dt."""
    if model.type == "vasicek":
        return {"kappa": model.kappa, "theta": model.theta, "sigma": model.sigma}
    return {"mu": model.mu, "sigma": model.sigma}


def shown(
    ticks: Ticks, before: int, model: Model, epoch_ns: int, form: dict[str, Any] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield ticks as a strategy gets them.

    Parameters
    ----------
    ticks : Ticks
    before : int
        Simulated time [ns] of the tick before the first.
    model : Model
        Parameters in force; with ``reveal_state`` false ``model_state`` is left out.
    epoch_ns : int
        What ``ts`` counts from; ``ts_sim`` counts from the start of the run.
    form : dict, optional
        Holds what was yielded last, whatever its receiver does with that.
    """
    # Copying a dict that is filled in again and again is faster than making each anew.
    blank: dict[str, Any] = {"ts": 0, "ts_sim": 0, "seq": 0, "price": 0.0}
    tick = blank if form is None else form
    tick["asset_id"] = model.asset_id
    state = {"x": 0.0, "dt": 0.0, **model_parameters(model)}
    reveal = model.reveal_state
    gaps = np.diff(ticks.time, prepend=before) * 1e-9
    numbers = range(ticks.first, ticks.first + len(ticks.time))
    ts = ticks.time + epoch_ns
    for tick["ts"], tick["ts_sim"], tick["seq"], tick["price"], state["x"], state["dt"] in zip(
        ts.data, ticks.time.data, numbers, ticks.price.data, ticks.x.data, gaps.data, strict=True
    ):
        if reveal:
            tick["model_state"] = state.copy()
        yield tick.copy()
