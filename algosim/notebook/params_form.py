"""Fields for a strategy's parameters, each of the type that its ``PARAMS`` gives it."""

from __future__ import annotations

import json
from typing import Any

import ipywidgets as widgets

from algosim.errors import ConfigError

__all__ = ["ParamsForm"]


class ParamsForm:
    """One field per parameter; what is typed waits until it is taken.

    Attributes
    ----------
    box : Box
    values : dict
        As the engine has them.
    """

    def __init__(self) -> None:
        self.box = widgets.VBox()
        self.box.add_class("algosim-params")
        self.values: dict[str, Any] = {}
        self.fields: dict[str, widgets.ValueWidget] = {}
        self._name = ""

    def follow(self, name: str, values: dict[str, Any]) -> None:
        """Show a strategy's parameters; what was typed stays unless they have changed."""
        if name == self._name and _typed(values) == _typed(self.values):
            return
        before = list(self.box.children)
        fields = {param: _field(value) for param, value in values.items()}
        self.fields, self.values, self._name = fields, dict(values), name  # others read them meanwhile
        self.box.children = [_row(param, field) for param, field in self.fields.items()] or [
            widgets.Label("no parameters")
        ]
        for row in before:
            for widget in (*getattr(row, "children", ()), row):
                widget.close()

    def changed(self) -> dict[str, Any]:
        """Return the parameters that were typed and differ from the engine's.

        Raises
        ------
        ConfigError
            If a field holds no value.
        """
        typed = {name: _read(name, field, self.values[name]) for name, field in self.fields.items()}
        return {name: value for name, value in typed.items() if value != self.values[name]}

    def put_back(self) -> None:
        """Show the engine's values again."""
        for name, field in self.fields.items():
            field.value = _shown(self.values[name])


def _typed(values: dict[str, Any]) -> list[tuple[str, str, object]]:
    """Return values so that 1 and 1.0 and True differ: they have fields of different kinds."""
    return [(name, type(value).__name__, value) for name, value in values.items()]


def _field(value: object) -> widgets.ValueWidget:
    if isinstance(value, bool):
        return widgets.Checkbox(value=value, indent=False)
    if isinstance(value, int):
        return widgets.IntText(value=value, continuous_update=False)
    if isinstance(value, float):
        return widgets.FloatText(value=value, continuous_update=False)
    return widgets.Text(value=_shown(value), continuous_update=False)


def _shown(value: Any) -> Any:  # noqa: ANN401  (a parameter's)
    return value if isinstance(value, bool | int | float | str) else json.dumps(value)


def _read(name: str, field: widgets.ValueWidget, known: object) -> object:
    if isinstance(known, bool | int | float | str):
        return field.value
    try:
        return json.loads(field.value)
    except ValueError as error:
        msg = f"{name} is not JSON: {field.value}"
        raise ConfigError(msg) from error


def _row(name: str, field: widgets.ValueWidget) -> widgets.Box:
    label = widgets.Label(name)
    label.add_class("algosim-label")
    row = widgets.HBox([label, field])
    row.add_class("algosim-param")
    return row
