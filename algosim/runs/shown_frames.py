"""DataFrames that notebooks know by their type and show in their own way."""

from __future__ import annotations

import pandas as pd

__all__ = ["RunList", "Trades"]


class Trades(pd.DataFrame):
    """A row per fill; what is cut out of it is one too."""

    @property
    def _constructor(self) -> type[Trades]:
        """What operations on it return; pandas asks for it."""
        return Trades


class RunList(pd.DataFrame):
    """A row per run; what is cut out of it is one too."""

    @property
    def _constructor(self) -> type[RunList]:
        """What operations on it return; pandas asks for it."""
        return RunList
