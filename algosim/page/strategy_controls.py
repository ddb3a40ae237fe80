"""The strategies of a market: which trade, with which parameters, and how to add or replace one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import streamlit as st

from algosim.board.allowed import allowed
from algosim.board.setting_knobs import HOT_RELOAD
from algosim.errors import ConfigError
from algosim.page import fields
from algosim.page.settings_controls import knob
from algosim.runs.workspace import strategy_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from algosim.config import Config
    from algosim.page.desk import Desk

__all__ = ["strategies"]

ACCOUNT, LIBRARY = "strategy", "library"


def strategies(desk: Desk, status: Mapping[str, Any], config: Config) -> None:
    """Show a picker of strategies, and the parameters of one of those that trade."""
    line_up = desk.line_up
    assert line_up is not None
    may = allowed(status)
    names = line_up.names(status, config)
    chosen = _pick("in the market", names, ACCOUNT, "a strategy in the market")
    if chosen is not None:
        _parameters(desk, chosen, line_up.parameters(chosen, config), off=not may.change)
    market = desk.market
    _buttons(
        desk,
        (
            ("Reload", "load its files again", may.reload and chosen, market.reload, (chosen,)),
            (
                "Remove",
                "its account keeps the position",
                may.change and chosen,
                line_up.remove,
                (chosen,),
            ),
        ),
    )
    new = _pick("to choose from", sorted(strategy_names()), LIBRARY, "strategies that there are")
    _buttons(
        desk,
        (
            ("Add", "let it trade beside the others", may.change and new, line_up.add, (new,)),
            (
                "Use instead",
                "in place of the one above",
                may.change and new,
                line_up.swap,
                (chosen, new),
            ),
        ),
    )
    knob(desk, config, HOT_RELOAD)


def _pick(label: str, names: Sequence[str], key: str, tip: str) -> str | None:
    """Show a list, of which the chosen one stays chosen as long as it is there."""
    if st.session_state.get(key) not in names:
        st.session_state[key] = names[0] if names else None
    found: str | None = st.selectbox(label, names, key=key, help=tip, disabled=not names)
    return found


Action = tuple[str, str, object, "Callable[..., object]", tuple[object, ...]]


def _buttons(desk: Desk, shown: Sequence[Action]) -> None:
    for column, (label, tip, on, call, args) in zip(st.columns([4, 5]), shown, strict=True):
        column.button(
            label,
            key=label.lower(),
            help=tip,
            disabled=not on,
            on_click=desk.do,
            args=(call, *args),
            width="stretch",
        )


def _parameters(desk: Desk, name: str, values: Mapping[str, Any], *, off: bool) -> None:
    """Show a field for each parameter, of the type ``PARAMS`` gives it; a change reloads the strategy."""
    if not values:
        st.caption("no parameters")
    for param, value in values.items():
        key = f"params.{name}.{param}.{type(value).__name__}"

        def ask(typed: object, param: str = param, value: object = value) -> bool:
            return desk.ask(_reload, desk, name, param, value, typed)

        tip = "the strategy reloads with another value" if not off else "the run has ended"
        if isinstance(value, bool):
            fields.switch(key, param, ask, tip, value=value)
        elif isinstance(value, int | float):
            fields.number(key, param, value, ask, tip)
        else:
            fields.text(key, param, value if isinstance(value, str) else json.dumps(value), ask, tip)


def _reload(desk: Desk, name: str, param: str, known: object, typed: object) -> None:
    """Reload a strategy with another parameter."""
    if not isinstance(known, bool | int | float | str):
        try:
            typed = json.loads(str(typed))
        except ValueError as error:
            msg = f"{param} is not JSON: {typed}"
            raise ConfigError(msg) from error
    desk.market.set({param: typed}, id=name)
