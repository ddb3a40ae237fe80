"""The buttons that let a market go, stand, step and end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from algosim.board.allowed import allowed
from algosim.page.fields import plain
from algosim.page.session import why_ended

if TYPE_CHECKING:
    from collections.abc import Mapping

    from algosim.page.desk import Desk

__all__ = ["transport"]


def transport(desk: Desk, status: Mapping[str, Any]) -> None:
    """Show the one button that makes most sense now, and below it the others."""
    _main(desk, status)
    may, sim = allowed(status), desk.market
    step, many = st.columns([3, 2], vertical_alignment="bottom")
    ticks = many.number_input("ticks", 1, value=1, key="ticks to a step", label_visibility="collapsed")
    step.button(
        "Step",
        key="step",
        icon=":material/skip_next:",
        help="release so many ticks of a paused market",
        disabled=not may.step,
        on_click=desk.travel,
        args=(sim.step, ticks),
        width="stretch",
    )
    reset, stop = st.columns(2)
    reset.button(
        "Reset",
        key="reset",
        icon=":material/restart_alt:",
        help="end this run, and make a fresh one ready",
        disabled=not may.reset,
        on_click=desk.do,
        args=(desk.session.reset,),
        width="stretch",
    )
    stop.button(
        "Stop",
        key="stop",
        icon=":material/stop:",
        help="end the run",
        disabled=not may.stop,
        on_click=desk.do,
        args=(sim.stop,),
        width="stretch",
    )


def _main(desk: Desk, status: Mapping[str, Any]) -> None:
    """Show the button that starts, pauses, resumes, or begins again."""
    may, sim = allowed(status), desk.market
    if why := why_ended(status):
        st.caption(
            f":red[run ended: {plain(why)}]" if status["state"] == "crashed" else f"run ended: {plain(why)}"
        )
        _primary("Start again", "replay", "a fresh run, so set", desk.do, desk.session.begin_again)
    elif may.start:
        _primary("Start", "play_arrow", "start the market", desk.travel, sim.start)
    elif may.resume:
        _primary("Resume", "play_arrow", "go on", desk.do, sim.resume)
    else:
        _primary("Pause", "pause", "pause after the last tick", desk.do, sim.pause, off=not may.pause)


def _primary(label: str, icon: str, tip: str, act: Any, call: Any, *, off: bool = False) -> None:  # noqa: ANN401  (callables)
    st.button(
        label,
        key=label.lower(),
        icon=f":material/{icon}:",
        help=tip,
        type="primary",
        disabled=off,
        on_click=act,
        args=(call,),
        width="stretch",
    )
