"""The controls of a recorded run that is played: go, stand, speed, and where in it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from algosim.board.setting_knobs import SPEED
from algosim.charts.numbers import clock
from algosim.page import fields
from algosim.runs.player import Player

if TYPE_CHECKING:
    from algosim.page.desk import Desk

__all__ = ["playback"]

PLACE, JUMP = "place", "jump"


def playback(desk: Desk) -> None:
    """Show the controls."""
    player = desk.session.source
    assert isinstance(player, Player)
    plays = player.state == "playing"
    label, icon, call = ("Pause", "pause", player.pause) if plays else ("Play", "play_arrow", player.play)
    st.button(
        label,
        key=label.lower(),
        icon=f":material/{icon}:",
        type="primary",
        on_click=desk.do,
        args=(call,),
        width="stretch",
    )
    step, begin = st.columns(2)
    tip = "pause, and show one tick more"
    step.button("Step", key="step", help=tip, on_click=desk.do, args=(player.step,), width="stretch")
    begin.button("Rewind", key="rewind", on_click=desk.do, args=(_seek, player, 0), width="stretch")
    fields.log_slider(
        SPEED.key,
        "speed :small[:gray[\N{MULTIPLICATION SIGN} wall time]]",
        player.speed,
        (SPEED.low, SPEED.high),
        partial(desk.ask, _set_speed, player),
        "simulated seconds per second",
        ["max"],
    )
    if player.last_tick:
        tick = min(player.tick, player.last_tick)
        st.progress(
            tick / player.last_tick, f"{clock(player.position)} of {clock(player.duration)}, tick {tick:,}"
        )
        go = partial(desk.ask, _seek, player)
        fields.place(PLACE, "go to tick", tick, player.last_tick, go, follows=not plays)
    if player.timeline:
        _jumps(desk, player)


def _jumps(desk: Desk, player: Player) -> None:
    """Show what was done during the run; choosing one goes there."""
    options = range(len(player.timeline))
    st.selectbox(
        "what was done: choose where to go",
        options,
        index=None,
        format_func=lambda i: f"{clock(player.timeline[i].time)}  {player.timeline[i].text}",
        key=JUMP,
        on_change=_jump,
        args=(desk, player),
    )


def _jump(desk: Desk, player: Player) -> None:
    chosen = st.session_state[JUMP]
    if chosen is not None:
        desk.do(_seek, player, min(player.timeline[chosen].tick, player.last_tick))


def _seek(player: Player, tick: int) -> None:
    player.seek(tick=tick)


def _set_speed(player: Player, speed: float | str) -> None:
    player.speed = speed
