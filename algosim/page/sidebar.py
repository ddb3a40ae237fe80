"""The sidebar of those who may drive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from algosim.board.allowed import allowed
from algosim.page import visitor
from algosim.page.desk import desk
from algosim.page.order_controls import order_ticket
from algosim.page.playback_controls import playback
from algosim.page.settings_controls import settings, speed
from algosim.page.strategy_controls import strategies
from algosim.page.transport_controls import transport

if TYPE_CHECKING:
    from algosim.page.desk import Desk
    from algosim.page.session import Session

__all__ = ["sidebar"]

FOLLOW_S = 1.5
"""How often the controls look whether something was changed elsewhere."""


@st.fragment(run_every=FOLLOW_S)
def sidebar(session: Session) -> None:
    """Show the controls; they follow what is changed elsewhere, and the stage is left alone."""
    if visitor.role() != "drive":  # a fragment runs without the script around it
        return
    mine = desk(session)
    if session.played:
        playback(mine)
    else:
        _market(mine)
    _export(mine)
    st.link_button(
        "Open for the projector",
        session.view_path,
        icon=":material/slideshow:",
        help="an address that only watches: whoever has it cannot change anything",
        width="stretch",
    )


def _market(mine: Desk) -> None:
    status, config = mine.status(), mine.config
    transport(mine, status)
    trouble = mine.error or (mine.session.trouble if allowed(status).start else "")
    if trouble:
        st.error(trouble.partition("\n")[0], icon=":material/error:")
    speed(mine, config)
    with st.expander("Order by hand", expanded=True):
        order_ticket(mine, status, config)
    with st.expander("Strategy", expanded=True):
        strategies(mine, status, config)
    settings(mine, config)


def _export(mine: Desk) -> None:
    """Offer the run's folder as it is now."""
    session = mine.session
    run_id = session.source.run_id
    st.download_button(
        "Export the run",
        data=lambda: session.export_zip()[1],
        file_name=f"{run_id}.zip",
        mime="application/zip",
        key="export",
        icon=":material/download:",
        help="the run folder as it is now: unpack it, and algosim replay accepts it",
        on_click="ignore",
        disabled=not run_id,
        width="stretch",
    )
