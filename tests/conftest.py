"""Settings of the whole suite."""

from __future__ import annotations

from hypothesis import settings

from tests.live_markets import home, market

__all__ = ["home", "market"]  # fixtures of all tests

# How long an example takes says more about the machine than about the code, and of several failures the
# first is enough: finding the smallest example of each takes minutes.
settings.register_profile("algosim", deadline=None, report_multiple_bugs=False)
settings.load_profile("algosim")
