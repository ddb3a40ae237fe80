"""Runs: where they are kept, how a strategy gets into a process, evaluate, replay and what they return.

The package can be called: ``algosim.runs()`` lists the recorded runs, also after something in it was
imported and has taken that name.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class _Runs(ModuleType):
    def __call__(self) -> pd.DataFrame:
        from algosim.runs.listing import runs  # noqa: PLC0415  (pandas, and everything that runs need)

        return runs()


sys.modules[__name__].__class__ = _Runs
