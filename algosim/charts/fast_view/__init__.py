"""The JavaScript of the streaming panel; `bundle` is what its build made of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from algosim.errors import AlgosimError

__all__ = ["bundle"]

BUNDLE = Path(__file__).with_name("bundle.js")


@cache
def bundle() -> str:
    """Return the panel as one ES module, with everything it needs.

    Raises
    ------
    AlgosimError
        If the package was not built, as in a bare checkout.
    """
    try:
        return BUNDLE.read_text(encoding="utf-8")
    except FileNotFoundError:
        msg = "the fast view's JavaScript is not built; in the checkout run: pip install -e ."
        raise AlgosimError(msg) from None
