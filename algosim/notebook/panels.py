"""The frames of a dashboard's parts: a title and what stands below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["button", "buttons", "live_html", "panel", "put"]


def panel(title: str, children: Sequence[widgets.Widget], kind: str = "") -> widgets.Box:
    """Return widgets below a title."""
    heading = widgets.Label(title)
    heading.add_class("algosim-heading")
    box = widgets.VBox([heading, *children])
    box.add_class("algosim-panel")
    if kind:
        box.add_class(kind)
    return box


def live_html(kind: str) -> widgets.HTML:
    """Return a place for HTML that changes."""
    place = widgets.HTML()
    place.add_class(kind)
    return place


def put(place: widgets.HTML, html: str) -> None:
    """Show HTML in its place; what stands there already is not sent again."""
    if place.value != html:
        place.value = html


def button(text: str, icon: str, pressed: Callable[[], None], tip: str, kind: str = "") -> widgets.Button:
    """Return a button."""
    made = widgets.Button(description=text, icon=icon, tooltip=tip)
    made.add_class("algosim-button")
    if kind:
        made.add_class(kind)
    made.on_click(lambda _: pressed())
    return made


def buttons(*made: widgets.Widget) -> widgets.Box:
    """Return buttons side by side, as many to a line as there is room for."""
    box = widgets.HBox(made)
    box.add_class("algosim-buttons")
    return box
