"""``python -m algosim.sandbox MODULE TERMS``: a strategy's process enters its limits, then runs a module."""

from __future__ import annotations

import sys
from importlib import import_module

from algosim.errors import ConfigError
from algosim.sandbox.enter import enter
from algosim.sandbox.terms import Terms


def main() -> None:
    """Enter and run."""
    try:
        enter(Terms.of(sys.argv[2:]))
    except (ConfigError, OSError) as error:
        sys.exit(f"the sandbox cannot be entered: {error} (limits.sandbox)")
    import_module(sys.argv[1]).main()


if __name__ == "__main__":
    main()
