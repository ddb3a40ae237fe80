"""Controls of one setting each: they show the engine's value, and ask for another one."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import ipywidgets as widgets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Ask = Callable[["Knob", Any], None]

__all__ = ["Input", "Knob", "choice", "field", "number", "row", "seed", "speed", "switch"]


class Input(NamedTuple):
    """One widget of a knob: how it shows a setting's value, and which value its own stands for."""

    widget: widgets.ValueWidget
    show: Callable[[Any], None]
    read: Callable[[Any], Any]


class Knob:
    """The controls of one setting.

    A value that a person chooses is asked for and shown; once the asking is done, the engine's value is
    shown again, whatever it is.

    Parameters
    ----------
    key : str
        The setting's dotted key.
    inputs : sequence of Input
        All show the same value.
    ask : callable
        Takes the knob and the value that was chosen; `settled` is to be called when that is done.
    unset : object
        What the inputs show before `follow` is called.

    Attributes
    ----------
    box : Box or None
        All of it, where it has a name and a unit above it.
    unit : Label
    """

    def __init__(self, key: str, inputs: Sequence[Input], ask: Ask, unset: object) -> None:
        self.key = key
        self.inputs = inputs
        self.box: widgets.Box | None = None
        self.unit = _text("", "algosim-unit")
        self._ask = ask
        self._shown = unset
        self._showing = False
        self._open = 0
        self._settled_at = float("-inf")
        self._lock = threading.RLock()  # people and the engine's news come on different threads
        for each in inputs:
            each.widget.observe(self._watch(each), names="value")

    def _watch(self, source: Input) -> Callable[[Any], None]:
        def changed(change: Any) -> None:  # noqa: ANN401  (traitlets says no more of it)
            with self._lock:
                value = source.read(change["new"])
                if not self._showing and value != self._shown:
                    self._show(value)
                    self._open += 1
                    self._ask(self, value)

        return changed

    def _show(self, value: object) -> None:
        self._shown, self._showing = value, True
        try:
            for each in self.inputs:
                each.show(value)
        finally:
            self._showing = False

    def settled(self) -> None:
        """Take note that one question has been answered."""
        with self._lock:
            self._open -= 1
            self._settled_at = time.monotonic()

    def follow(self, value: object, read_at: float) -> None:
        """Show the engine's value, which was read at `read_at` (monotonic s), unless a question is open."""
        with self._lock:
            if not self._open and read_at > self._settled_at and value != self._shown:
                self._show(value)

    def enable(self, *, on: bool) -> None:
        """Let people use it, or not."""
        for each in self.inputs:
            each.widget.disabled = not on


def row(knob: Knob, label: str, unit: str, tip: str) -> widgets.Box:
    """Return a knob with its name and unit above it."""
    knob.unit.value = unit
    title = widgets.HBox([_text(label, "algosim-label"), knob.unit])
    title.add_class("algosim-title")
    for each in knob.inputs:
        each.widget.tooltip = tip
    controls = widgets.HBox([each.widget for each in knob.inputs])
    knob.box = widgets.VBox([title, controls])
    knob.box.add_class("algosim-knob")
    return knob.box


def _text(text: str, kind: str) -> widgets.Label:
    label = widgets.Label(text)
    label.add_class(kind)
    return label


def _slider(low: float, high: float, *, log: bool) -> Input:
    """Return a slider that widens where a value is beyond its ends."""
    if log:
        slider = widgets.FloatLogSlider(
            min=math.log10(low), max=math.log10(high), step=0.02, value=low, **_BARE
        )
    else:
        slider = widgets.FloatSlider(min=low, max=high, step=(high - low) / 200, value=low, **_BARE)
    slider.add_class("algosim-slider")

    def show(value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or (log and value <= 0):
            return
        at = math.log10(value) if log else value
        slider.min, slider.max = min(slider.min, at), max(slider.max, at)
        slider.value = value

    return Input(slider, show, _rounded)


_BARE: dict[str, Any] = {"readout": False, "continuous_update": False}


def _rounded(value: float) -> float:
    """Return a slider's value without the digits that its arithmetic leaves."""
    return float(f"{value:.4g}")


def _field() -> Input:
    field = widgets.FloatText(value=0.0, continuous_update=False, step=None)
    field.add_class("algosim-field")

    def show(value: object) -> None:
        if isinstance(value, (int, float)):
            field.value = value

    return Input(field, show, lambda value: value)


def number(key: str, ask: Ask, low: float, high: float, *, log: bool = False) -> Knob:
    """Return a slider from `low` to `high` with a field for any other number."""
    return Knob(key, [_slider(low, high, log=log), _field()], ask, None)


def field(key: str, ask: Ask) -> Knob:
    """Return a field for a number."""
    return Knob(key, [_field()], ask, None)


def choice(key: str, ask: Ask, options: Sequence[str]) -> Knob:
    """Return a list to choose from."""
    menu = widgets.Dropdown(options=list(options), value=None)

    def show(value: object) -> None:
        menu.value = value

    return Knob(key, [Input(menu, show, lambda value: value)], ask, None)


def switch(key: str, ask: Ask, text: str) -> Knob:
    """Return a box to tick."""
    box = widgets.Checkbox(value=False, description=text, indent=False)

    def show(value: object) -> None:
        box.value = bool(value)

    return Knob(key, [Input(box, show, bool)], ask, unset=False)


def seed(ask: Ask) -> Knob:
    """Return a field for the seed; left empty, it asks for a fresh one."""
    text = widgets.Text(value="", placeholder="fresh", continuous_update=False)

    def show(value: object) -> None:
        text.value = "" if value is None else str(value)

    def read(value: str) -> object:
        word = value.strip()
        return None if not word else int(word) if word.isdecimal() else word

    return Knob("run.seed", [Input(text, show, read)], ask, None)


def speed(ask: Ask) -> Knob:
    """Return the speed: a slider over its powers of ten, a field, and a button for ``"max"``."""
    slider, number_field = _slider(0.1, 1000.0, log=True), _field()
    slider.show(1.0)  # stands there while the speed is "max"
    number_field.show(1.0)
    top = widgets.ToggleButton(value=False, description="max")
    top.add_class("algosim-max")

    def show(value: object) -> None:
        top.value = value == "max"

    def read(pressed: bool) -> object:  # noqa: FBT001  (a widget's value)
        return "max" if pressed else slider.widget.value

    return Knob("schedule.speed", [slider, number_field, Input(top, show, read)], ask, None)
