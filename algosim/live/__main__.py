"""``python -m algosim.live ROLE``: one process of a live run."""

from __future__ import annotations

import sys
from importlib import import_module

from algosim.live.child import born

ROLES = ("supervisor", "simulator", "broker", "recorder", "host")

if __name__ == "__main__":
    role = sys.argv[1]
    if role not in ROLES:
        sys.exit(f"no role {role!r}; processes of a live run are started by algosim itself")
    import_module(f"algosim.live.{role}").main(born())
