"""What a shell gets from algosim: magics, their completion, looks of objects, a bar, short interrupts."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from algosim.notebook import completion, current
from algosim.notebook.interrupts import keep_short
from algosim.notebook.magics import AlgosimMagics
from algosim.notebook.outputs import can_change
from algosim.notebook.progress import Bar
from algosim.runs.progress import show_with

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load"]

_LOOKS = (
    ("text/html", "algosim.live.simulation", "Simulation", "simulation_html"),
    ("text/html", "algosim.runs.result", "Result", "result_html"),
    ("text/html", "algosim.runs.figures", "RunMetrics", "metrics_html"),
    ("text/html", "algosim.runs.shown_frames", "RunList", "runs_html"),
    ("text/html", "algosim.runs.shown_frames", "Trades", "trades_html"),
    ("text/plain", "algosim.runs.shown_frames", "RunList", "runs_text"),
    ("text/plain", "algosim.runs.figures", "RunMetrics", "metrics_text"),
)


def load(shell: InteractiveShell) -> None:
    """Give a shell what it gets; the second call and later ones change nothing."""
    if AlgosimMagics.__name__ in shell.magics_manager.registry:
        return
    shell.register_magics(AlgosimMagics)
    if shell.Completer is not None:
        shell.Completer.custom_matchers.append(completion.matches)
    assert shell.display_formatter is not None
    for kind, module, name, look in _LOOKS:
        shell.display_formatter.formatters[kind].for_type_by_name(module, name, _late(look))
    keep_short(shell)
    if can_change():
        show_with(Bar)
    current.follow()


def _late(look: str) -> Callable[..., Any]:
    """Return a function of `html` that is imported when it is first used: `import algosim` stays light."""

    def show(*arguments: Any) -> Any:  # noqa: ANN401  (what IPython gives and takes)
        return getattr(import_module("algosim.notebook.html"), look)(*arguments)

    return show
