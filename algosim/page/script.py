"""What Streamlit runs for each browser: controls for those who may drive, and the stage."""

from __future__ import annotations

import streamlit as st

from algosim.page import session, visitor
from algosim.page.mount import STAGE, mount
from algosim.page.sidebar import sidebar

__all__ = ["script"]

STRANGER = "Open the address that is printed in the terminal where the page was started."


def script() -> None:
    """Show the page as the visitor may see it."""
    icon = str(STAGE / "icon.svg")
    st.set_page_config(page_title="algosim", page_icon=icon, layout="wide", initial_sidebar_state="expanded")
    role = visitor.role()
    if role is None:
        st.title("algosim")
        st.write(STRANGER)
        return
    shown = session.current()
    mount(shown)  # first: prices are on their way while the controls are still drawn
    if role == "drive":
        st.logo(icon, size="large")
        with st.sidebar:
            sidebar(shown)


if __name__ == "__main__":  # Streamlit runs it so, anew for every change
    script()
