"""Widgets of one value each, which follow it when it is changed elsewhere and leave alone who uses them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Ask = Callable[[Any], bool]

__all__ = ["choice", "log_slider", "number", "place", "slider", "steps", "switch", "text"]

SHOWN = "algosim shown: "
PER_DECADE = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)


def _follow(key: str, value: object) -> None:
    """Let the widget show a value that has changed since it was last shown; it must come before the widget.

    What a person drags or types meanwhile is in the browser only, and stays there.
    """
    memory = SHOWN + key
    if memory not in st.session_state or st.session_state[memory] != value or key not in st.session_state:
        st.session_state[key] = st.session_state[memory] = value


def _chosen(key: str, ask: Ask) -> None:
    """Ask for what a person has chosen; what is refused is not left standing."""
    if not ask(st.session_state[key]):
        st.session_state.pop(SHOWN + key, None)


def slider(key: str, label: str, value: float, ends: tuple[float, float], ask: Ask, tip: str) -> None:
    """Show a slider; a value beyond its ends stands in the label."""
    low, high = ends
    _follow(key, min(max(float(value), low), high))
    step = (high - low) / 200.0
    said = label if low <= value <= high else f"{label} **{value:g}**"
    st.slider(
        said,
        low,
        high,
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
    _follow(key, float(value) if isinstance(value, int | float) else value)
    chosen = st.session_state[key]
    between = {*steps(*ends), *([chosen] if isinstance(chosen, float) else [])}
    options: list[float | str] = [*sorted(between), *more]
    st.select_slider(
        label,
        options,
        format_func=lambda each: each if isinstance(each, str) else f"{each:g}",
        key=key,
        help=tip,
        on_change=_chosen,
        args=(key, ask),
    )


def steps(low: float, high: float) -> list[float]:
    """Return round numbers from `low` to `high`, about ten to a power of ten."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = (float(f"{digit}e{decade}") for decade in decades for digit in PER_DECADE)
    return [each for each in found if low <= each <= high]


def choice(key: str, label: str, value: str, options: Sequence[str], ask: Ask, tip: str) -> None:
    """Show a list to choose from."""
    _follow(key, value)
    st.selectbox(label, options, key=key, help=tip, on_change=_chosen, args=(key, ask))


def switch(key: str, label: str, ask: Ask, tip: str, *, value: bool) -> None:
    """Show a switch."""
    _follow(key, value)
    st.toggle(label, key=key, help=tip, on_change=_chosen, args=(key, ask))


def number(key: str, label: str, value: float, ask: Ask, tip: str) -> None:
    """Show a field for a number; a whole one stays whole."""
    _follow(key, value)
    form = "%d" if isinstance(value, int) else "%.6g"
    st.number_input(
        label, key=key, help=tip, on_change=_chosen, args=(key, ask), step=_step(value), format=form
    )


def _step(value: float) -> float:
    return 1 if isinstance(value, int) else 10.0 ** math.floor(math.log10(abs(value)) - 1) if value else 0.1


def text(key: str, label: str, value: str, ask: Ask, tip: str, *, empty: str = "") -> None:
    """Show a field for a word; `empty` stands in it where there is none."""
    _follow(key, value)
    st.text_input(label, key=key, help=tip, on_change=_chosen, args=(key, ask), placeholder=empty)


def place(key: str, label: str, value: int, last: int, ask: Ask) -> None:
    """Show a slider over the ticks of a run."""
    _follow(key, value)
    st.slider(label, 0, last, key=key, on_change=_chosen, args=(key, ask))
