"""One card on how strategies are written, read from the classes that strategies meet."""

from __future__ import annotations

import inspect
from html import escape

from algosim.board.tidy import Table
from algosim.core.context import Context
from algosim.core.doctor.api import CALLS, INDICATORS
from algosim.core.indicators import Bands, Indicators
from algosim.notebook.cell_page import page

__all__ = ["HOOKS", "TICK", "VALUES", "Card"]

HOOKS = {
    "PARAMS": 'PARAMS = {"window": 20}: its parameters; %%strategy name window=30 gives one another value',
    "init": "init(ctx): called once, before its first tick; make the indicators here",
    "on_tick": "on_tick(ctx, tick): called at every tick; the one that must be there",
    "on_stop": "on_stop(ctx): called once, at the end",
    "NAME": 'NAME = "My strategy": what people call it',
}
"""What a strategy's file may define."""

TICK = {
    "price": "the price",
    "seq": "the tick's number, from 1",
    "ts_sim": "simulated nanoseconds since the start of the run",
    "ts": "the same on the run's calendar, nanoseconds since 1970",
    "asset_id": "the name of what is traded",
    "model_state": "x, dt and the model's parameters; not there where model.reveal_state is false",
}
"""What a tick has."""

VALUES = {
    "rng": "a random stream of its own, a numpy Generator: ctx.rng.normal()",
    "indicator": "makes indicators, see below; keep them on ctx: ctx.fast = ctx.indicator.SMA(20)",
}
"""What ``ctx`` has beside its calls."""


def _first_line(function: object) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0].replace("`", "")


def _signature(signature: inspect.Signature) -> str:
    return str(signature.replace(return_annotation=inspect.Signature.empty))


def _calls() -> list[tuple[str, str]]:
    rows = [(f"ctx.{name}{_signature(CALLS[name])}", _first_line(getattr(Context, name))) for name in CALLS]
    return [*rows, *((f"ctx.{name}", text) for name, text in VALUES.items())]


def _indicators() -> list[tuple[str, str]]:
    made = [
        (f"ctx.indicator.{name}{_signature(signature)}", _first_line(getattr(Indicators, name)))
        for name, signature in INDICATORS.items()
    ]
    bands = ", ".join(f".{part}" for part in Bands._fields)
    update = "Take one price in, at every tick. Return the new value, or None while the indicator warms up."
    return [*made, (".update(price)", f"{update} That of Bollinger has {bands}.")]


class Card:
    """The card: sections of a heading and rows of a name and what it is."""

    sections: tuple[tuple[str, list[tuple[str, str]]], ...]

    def __init__(self) -> None:
        self.sections = (
            ("A strategy's file, or the cell below %%strategy name", list(HOOKS.items())),
            ("tick", [(f'tick["{name}"]', TICK[name]) for name in TICK]),
            ("ctx", _calls()),
            ("Indicators", _indicators()),
        )

    def __repr__(self) -> str:
        """Return it as text."""
        parts = [
            f"{title}\n{Table(('', ''), rows, frozenset({0, 1})).text()}" for title, rows in self.sections
        ]
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        parts = []
        for title, rows in self.sections:
            body = "".join(
                f"<tr><td class=left><code>{escape(name)}</code></td>"
                f'<td class="left wrap">{escape(text)}</td></tr>'
                for name, text in rows
            )
            parts.append(f"<p><b>{escape(title)}</b></p><table>{body}</table>")
        return page(*parts)
