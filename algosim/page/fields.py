"""Widgets of one value each, which follow it when it is changed elsewhere and leave alone who uses them."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streamlit.delta_generator import DeltaGenerator

    Ask = Callable[[Any], bool]

__all__ = ["choice", "log_slider", "number", "place", "plain", "slider", "steps", "switch", "text"]

SHOWN = "algosim shown: "
SHARES = [5, 3]
"""Of a slider, and of the field beside it."""

MARKS = re.compile(r"([\\`*_{}\[\]()#+.!|<>~:$-])")
PER_DECADE = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)


def _moves(key: str, value: object) -> bool:
    """Let the widget that comes next show a value that has changed since; return whether it has.

    What a person drags or types meanwhile is in the browser only, and stays there. A widget that is new has
    its value as its default instead: a browser that is busy may send back the default of what it is shown
    before it has taken a value that was set, as if a person had chosen it.
    """
    memory = SHOWN + key
    fresh = key not in st.session_state
    moves = not fresh and (memory not in st.session_state or st.session_state[memory] != value)
    st.session_state[memory] = value
    if moves:
        st.session_state[key] = value
    return moves


def _chosen(key: str, ask: Ask) -> None:
    """Ask for what a person has chosen; what is refused is not left standing."""
    if not ask(st.session_state[key]):
        st.session_state.pop(SHOWN + key, None)


def slider(key: str, label: str, value: float, ends: tuple[float, float], ask: Ask, tip: str) -> None:
    """Show a slider; a value beyond its ends stands in the label."""
    low, high = ends
    at = min(max(float(value), low), high)
    moves = _moves(key, at)
    step = (high - low) / 200.0
    said = label if low <= value <= high else f"{label} **{value:g}**"
    drag, typed = st.columns(SHARES, vertical_alignment="bottom")
    _typed(typed, key, label, value, ask)
    drag.slider(
        said,
        low,
        high,
        None if moves else at,
        step=step,
        format="%.4g",
        key=key,
        help=tip,
        on_change=_chosen,
        args=(key, ask),
    )


def log_slider(
    key: str,
    label: str,
    value: object,
    ends: tuple[float, float],
    ask: Ask,
    tip: str,
    more: Sequence[str] = (),
) -> None:
    """Show a slider over round numbers with equal ratios, and words beyond its end such as ``"max"``."""
    at = float(value) if isinstance(value, int | float) else str(value)
    moves = _moves(key, at)
    chosen = st.session_state.get(key, at)
    between = {*steps(*ends), *([chosen] if isinstance(chosen, float) else [])}
    options: list[float | str] = [*sorted(between), *more]
    drag, typed = st.columns(SHARES, vertical_alignment="bottom")
    _typed(typed, key, label, value, ask)
    drag.select_slider(
        label,
        options,
        None if moves else at,
        format_func=lambda each: each if isinstance(each, str) else f"{each:g}",
        key=key,
        help=tip,
        on_change=_chosen,
        args=(key, ask),
    )


def _typed(place: DeltaGenerator, key: str, label: str, value: object, ask: Ask) -> None:
    """Show a field beside a slider for any value, also beyond its ends; a word stands there in grey."""
    field = f"{key} typed"
    at = float(value) if isinstance(value, int | float) else None
    place.number_input(
        label,
        value=None if _moves(field, at) else at,
        key=field,
        step=_step(at or 0.0),
        format="%.6g",
        label_visibility="collapsed",
        placeholder="" if at is not None else str(value),
        on_change=_entered,
        args=(field, ask),
    )


def _entered(key: str, ask: Ask) -> None:
    """Ask for what a person has typed; a field that was emptied shows the value again."""
    if st.session_state[key] is None:
        st.session_state.pop(SHOWN + key, None)
    else:
        _chosen(key, ask)


def plain(words: str) -> str:
    """Return words as they are for a widget that would read them as Markdown."""
    return MARKS.sub(r"\\\1", words)


def steps(low: float, high: float) -> list[float]:
    """Return round numbers from `low` to `high`, about ten to a power of ten."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = (float(f"{digit}e{decade}") for decade in decades for digit in PER_DECADE)
    return [each for each in found if low <= each <= high]


def choice(key: str, label: str, value: str, options: Sequence[str], ask: Ask, tip: str) -> None:
    """Show a list to choose from."""
    at = 0 if _moves(key, value) else list(options).index(value)
    st.selectbox(label, options, at, key=key, help=tip, on_change=_chosen, args=(key, ask))


def switch(key: str, label: str, ask: Ask, tip: str, *, value: bool) -> None:
    """Show a switch."""
    moves = _moves(key, value)
    st.toggle(label, value and not moves, key=key, help=tip, on_change=_chosen, args=(key, ask))


def number(key: str, label: str, value: float, ask: Ask, tip: str) -> None:
    """Show a field for a number; a whole one stays whole."""
    form = "%d" if isinstance(value, int) else "%.6g"
    at: Any = "min" if _moves(key, value) else value
    st.number_input(
        label, value=at, key=key, help=tip, on_change=_chosen, args=(key, ask), step=_step(value), format=form
    )


def _step(value: float) -> float:
    return 1 if isinstance(value, int) else 10.0 ** math.floor(math.log10(abs(value)) - 1) if value else 0.1


def text(key: str, label: str, value: str, ask: Ask, tip: str, *, empty: str = "") -> None:
    """Show a field for a word; `empty` stands in it where there is none."""
    st.text_input(
        label,
        "" if _moves(key, value) else value,
        key=key,
        help=tip,
        on_change=_chosen,
        args=(key, ask),
        placeholder=empty,
    )


def place(key: str, label: str, value: int, last: int, ask: Ask, *, follows: bool) -> None:
    """Show a slider over the ticks of a run.

    While the run plays it does not follow: it would pull at the hand of who drags it.
    """
    moves = (follows or key not in st.session_state) and _moves(key, value)
    st.slider(label, 0, last, None if moves else value, key=key, on_change=_chosen, args=(key, ask))
