"""Puts the stage into Streamlit's page: one component, mounted once, which a server of ours feeds."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from algosim.board.style import sheet

if TYPE_CHECKING:
    from algosim.page.session import Session

__all__ = ["STAGE", "mount"]

STAGE = Path(__file__).with_name("stage")
"""Where the browser's code is; the server hands out its modules."""

NAME = "algosim_stage"


def mount(session: Session) -> None:
    """Show the stage; from then on it draws by itself, and no rerun of the script touches it."""
    # Registered for each run of the script, as tests have a Streamlit each; it is the same and costs nothing.
    stage = st.components.v2.component(NAME, css=_css(), js=_file("component.js"), isolate_styles=False)
    stage(key="stage", data={"layout": _file("stage.html"), "live": session.live_path})


@cache
def _file(name: str) -> str:
    return (STAGE / name).read_text("utf-8")


def _css() -> str:
    return "\n".join((sheet(), _file("stage.css"), _file("projected.css")))
