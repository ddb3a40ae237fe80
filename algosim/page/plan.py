"""What a page process is told to show when it starts; nothing here knows of a server."""

from __future__ import annotations

from typing import Any

import msgspec

from algosim.page.roles import Access, fresh_access

__all__ = ["BEHIND_PROXY", "LAUNCHED", "SECRET", "Market", "Plan"]

LAUNCHED, BEHIND_PROXY = "--launched", "--behind-proxy"
"""What follows ``streamlit run streamlit_app.py --``: the plan comes through the standard input; or not."""

SECRET = "ALGOSIM_PROXY_SECRET"
"""The environment variable that tells a page behind Jupyter's proxy what the proxy sends along."""


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """A market to start, as `Simulation` takes it."""

    strategy: list[str] | None = None
    seed: int | None = None
    config: str | None = None
    settings: dict[str, Any] = {}
    duration: str | None = None
    ticks: int | None = None
    out: str | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to show, and who may do what.

    `run` is the id of a running market to attach to; `play` a recorded run's folder; `market` one to start.
    None of them: the newest market that runs here, or else a fresh one. `speed` is for `play`.
    """

    access: Access = msgspec.field(default_factory=fresh_access)
    run: str = ""
    play: str = ""
    market: Market | None = None
    speed: float | str | None = None
