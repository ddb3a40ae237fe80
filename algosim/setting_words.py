"""The unit of every setting and what it is, as ``default.yaml`` tells people."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from algosim.settings import default_text

if TYPE_CHECKING:
    from algosim.config import Config

__all__ = ["Words", "unit", "words"]

_LINE = re.compile(r"( *)(\w+):(?:.*?# \[([^\]]*)\] (.*))?")
_SHORTER = (
    (", per ", " / "),
    ("sqrt(unit)", "\N{SQUARE ROOT}unit"),
    ("basis points of", "bp of"),
    ("simulated ms", "sim ms"),
    ("simulated s per wall s, or max", "\N{MULTIPLICATION SIGN} wall time"),
)


class Words(NamedTuple):
    """A setting's unit and one phrase on what it is."""

    unit: str
    says: str


@cache
def words() -> dict[str, Words]:
    """Return the words on each dotted key that the default configuration describes."""
    found: dict[str, Words] = {}
    path: list[str] = []
    for line in default_text().splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        indent, name, unit, says = match.groups()
        path[len(indent) // 2 :] = [name]
        if unit is not None:
            found[".".join(path)] = Words(unit, says.removesuffix(" (now)"))
    return found


def unit(key: str, config: Config) -> str:
    """Return the unit of a setting, short enough to stand beside a control.

    Parameters
    ----------
    key : str
        Dotted.
    config : Config
        Says what the model's state x is measured in.
    """
    text = words()[key].unit
    for long, short in (("that of x", _state_unit(config)), *_SHORTER):
        text = text.replace(long, short)
    return text


def _state_unit(config: Config) -> str:
    return "log price" if config.model.price_map == "exponential" else "currency"
