"""The settings of a market in the sidebar."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from algosim.board.setting_knobs import GROUPS, SPEED, Choice, Entry, Slider, Switch, counts, value_of
from algosim.errors import ConfigError
from algosim.page import fields
from algosim.setting_words import unit, words

if TYPE_CHECKING:
    from algosim.config import Config
    from algosim.page.desk import Desk

__all__ = ["knob", "settings", "speed"]

WAITS = ":orange[waits for the reset]"

WORDLESS = ("schedule.mode", "model.type", "model.price_map", "ui.hot_reload", "run.seed")
"""Settings without a unit: of these the default configuration says which words there are."""


def settings(desk: Desk, config: Config) -> None:
    """Show all settings by their groups."""
    for title, knobs in GROUPS.items():
        with st.expander(title, expanded=title in ("Market", "Arrivals")):
            for each in knobs:
                if counts(config, each.key):
                    knob(desk, config, each)


def speed(desk: Desk, config: Config) -> None:
    """Show the speed."""
    ask = partial(change, desk, SPEED.key)
    label, value = _label(config, SPEED.key, SPEED.label, waits=False), config.schedule.speed
    fields.log_slider(SPEED.key, label, value, (SPEED.low, SPEED.high), ask, words()[SPEED.key].says, ["max"])


def knob(desk: Desk, config: Config, shown: Slider | Choice | Entry | Switch) -> None:
    """Show one setting as the engine has it, or as it waits for the reset."""
    sim = desk.market
    key, noted = shown.key, sim.noted
    value: Any = noted[key] if key in noted else value_of(config, key)
    ask, tip = partial(change, desk, key), words()[key].says
    label = _label(config, key, shown.label, waits=key in noted)
    if isinstance(shown, Slider):
        show = fields.log_slider if shown.log else fields.slider
        show(key, label, value, (shown.low, shown.high), ask, tip)
    elif isinstance(shown, Choice):
        fields.choice(key, label, value, shown.options, ask, tip)
    elif isinstance(shown, Switch):
        fields.switch(key, label, ask, tip, value=bool(value))
    elif shown.fresh:
        word = "" if value is None else str(value)
        fields.text(key, label, word, partial(_change_seed, desk, key), tip, empty="fresh")
    else:
        fields.number(key, label, value, ask, tip)


def _label(config: Config, key: str, label: str, *, waits: bool) -> str:
    said = unit(key, config)
    shown = f"{label} :small[:gray[{said}]]" if said and key not in WORDLESS else label
    return f"{shown} :small[{WAITS}]" if waits else shown


def change(desk: Desk, key: str, value: object) -> bool:
    """Ask for another value; one that waits for a reset is no failure."""
    sim = desk.market

    def ask() -> None:
        try:
            sim.set({key: value})
        except ConfigError:
            if key not in sim.noted or sim.noted[key] != value:
                raise

    return desk.ask(ask)


def _change_seed(desk: Desk, key: str, word: str) -> bool:
    word = word.strip()
    return change(desk, key, None if not word else int(word) if word.isdecimal() else word)
