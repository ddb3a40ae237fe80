"""Orders by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from algosim.board.allowed import allowed, order_hint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from algosim.config import Config
    from algosim.page.desk import Desk

__all__ = ["order_ticket"]

QTY = "order: quantity"


def order_ticket(desk: Desk, status: Mapping[str, Any], config: Config) -> None:
    """Show a quantity, a button for each side, and when an order would fill."""
    may = allowed(status).order
    st.number_input("quantity :small[:gray[units at market]]", value=1.0, format="%.6g", key=QTY)
    for column, side in zip(st.columns(2), ("BUY", "SELL"), strict=True):
        column.button(
            side,
            key=side.lower(),
            icon=f":material/arrow_{'upward' if side == 'BUY' else 'downward'}:",
            help="market order by hand",
            disabled=not may,
            on_click=_order,
            args=(desk, side),
            width="stretch",
        )
    st.caption(order_hint(status, config))


def _order(desk: Desk, side: str) -> None:
    desk.do(desk.market.order, side, st.session_state[QTY])
