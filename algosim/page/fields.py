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
REFUSED = object()
"""Is no value: the widget is made anew with the right one."""

SHARES = [5, 3]
"""Of a slider, and of the field beside it."""

MARKS = re.compile(r"([\\`*_{}\[\]()#+.!|<>~:$-])")
PER_DECADE = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)


def _showing(key: str, value: object, *, follows: bool = True) -> str:
    """Return the name of the widget that shows a value: another one once the value was changed elsewhere.

    A browser sends what all its widgets show with every run of the script, also with those that come by the
    clock. If one and the same widget were set to another value, a browser that is busy would send the old
    one once more, as if a person had chosen it. What a new widget shows it has as its default, and what is
    still said of the one before goes unheard.
    """
    version, shown = st.session_state.get(SHOWN + key, (0, value))
    if follows and shown != value:
        version, shown = version + 1, value
    st.session_state[SHOWN + key] = version, shown
    return _name(key, version)


def _chosen(name: str, key: str, ask: Ask) -> None:
    """Ask for what a person has chosen; what is refused is not left standing."""
    version, shown = st.session_state[SHOWN + key]
    value = st.session_state[name]
    if name == _name(key, version) and value != shown:  # else a widget that was replaced is heard once more
        st.session_state[SHOWN + key] = version, value if ask(value) else REFUSED


def _name(key: str, version: int) -> str:
    return f"{key} v{version}" if version else key


def slider(key: str, label: str, value: float, ends: tuple[float, float], ask: Ask, tip: str) -> None:
    """Show a slider; a value beyond its ends stands in the label."""
    low, high = ends
    at = min(max(float(value), low), high)
    name = _showing(key, at)
    step = (high - low) / 200.0
    said = label if low <= value <= high else f"{label} **{value:g}**"
    drag, typed = st.columns(SHARES, vertical_alignment="bottom")
    _typed(typed, key, label, value, ask)
    drag.slider(
        said,
        low,
        high,
        at,
        step=step,
        format="%.4g",
        key=name,
        help=tip,
        on_change=_chosen,
        args=(name, key, ask),
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
    name = _showing(key, at)
    chosen = st.session_state.get(name, at)
    between = {*steps(*ends), *([chosen] if isinstance(chosen, float) else [])}
    options: list[float | str] = [*sorted(between), *more]
    drag, typed = st.columns(SHARES, vertical_alignment="bottom")
    _typed(typed, key, label, value, ask)
    drag.select_slider(
        label,
        options,
        at,
        format_func=lambda each: each if isinstance(each, str) else f"{each:g}",
        key=name,
        help=tip,
        on_change=_chosen,
        args=(name, key, ask),
    )


def _typed(place: DeltaGenerator, key: str, label: str, value: object, ask: Ask) -> None:
    """Show a field beside a slider for any value, also beyond its ends; a word stands there in grey."""
    field = f"{key} typed"
    at = float(value) if isinstance(value, int | float) else None
    name = _showing(field, at)
    place.number_input(
        label,
        value=at,
        key=name,
        step=_step(at or 0.0),
        format="%.6g",
        label_visibility="collapsed",
        placeholder="" if at is not None else str(value),
        on_change=_entered,
        args=(name, field, ask),
    )


def _entered(name: str, key: str, ask: Ask) -> None:
    """Ask for what a person has typed; a field that was emptied shows the value again."""
    _chosen(name, key, lambda value: value is not None and ask(value))


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
    name = _showing(key, value)
    at = list(options).index(value)
    st.selectbox(label, options, at, key=name, help=tip, on_change=_chosen, args=(name, key, ask))


def switch(key: str, label: str, ask: Ask, tip: str, *, value: bool) -> None:
    """Show a switch."""
    name = _showing(key, value)
    st.toggle(label, value, key=name, help=tip, on_change=_chosen, args=(name, key, ask))


def number(key: str, label: str, value: float, ask: Ask, tip: str) -> None:
    """Show a field for a number; a whole one stays whole."""
    form = "%d" if isinstance(value, int) else "%.6g"
    name = _showing(key, value)
    st.number_input(
        label,
        value=value,
        key=name,
        help=tip,
        on_change=_chosen,
        args=(name, key, ask),
        step=_step(value),
        format=form,
    )


def _step(value: float) -> float:
    return 1 if isinstance(value, int) else 10.0 ** math.floor(math.log10(abs(value)) - 1) if value else 0.1


def text(key: str, label: str, value: str, ask: Ask, tip: str, *, empty: str = "") -> None:
    """Show a field for a word; `empty` stands in it where there is none."""
    name = _showing(key, value)
    st.text_input(
        label,
        value,
        key=name,
        help=tip,
        on_change=_chosen,
        args=(name, key, ask),
        placeholder=empty,
    )


def place(key: str, label: str, value: int, last: int, ask: Ask, *, follows: bool) -> None:
    """Show a slider over the ticks of a run.

    While the run plays it does not follow: it would pull at the hand of who drags it.
    """
    name = _showing(key, value, follows=follows)
    st.slider(label, 0, last, value, key=name, on_change=_chosen, args=(name, key, ask))
