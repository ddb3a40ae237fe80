"""How a page process learns what to show, and whose end is its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from algosim.errors import ConfigError
from algosim.page.plan import BEHIND_PROXY, LAUNCHED, SECRET, Plan
from algosim.page.roles import fresh_access
from algosim.runs.guard import die_with_parent, watch_parent
from algosim.runs.launch import receive

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["arrived"]


def arrived(words: Sequence[str]) -> Plan:
    """Return the plan of this process, which from now on ends with the one that started it.

    Parameters
    ----------
    words : sequence of str
        What follows the script on the command line; nothing where a person started it by hand.

    Raises
    ------
    ConfigError
        If there is anything else.
    """
    if list(words) == [LAUNCHED]:
        plan = msgspec.json.decode(receive(), type=Plan)
        die_with_parent()
        return plan
    if list(words) == [BEHIND_PROXY]:
        watch_parent(lambda: os._exit(86))
        return Plan(access=fresh_access(proxy=os.environ.pop(SECRET, "")))
    if words:
        msg = f"the page takes no options, got {' '.join(words)}; to choose what it shows: algosim present"
        raise ConfigError(msg)
    return Plan(access=fresh_access(for_one=True))
