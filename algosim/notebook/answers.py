"""What magics answer with: the state of a market, the findings of the doctor, the strategies there are."""

from __future__ import annotations

import ast
import math
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algosim.board.tidy import Cell, Table, profit, said
from algosim.charts.numbers import clock, count, money, quantity
from algosim.notebook.cell_page import page
from algosim.runs.workspace import shipped_folder, strategy_names

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from algosim.config import Config
    from algosim.core.doctor import Finding

__all__ = ["Findings", "Status", "Strategies", "parameters"]

_STATES = {"running": "good", "trading": "good", "crashed": "bad", "failed": "bad", "paused": "dim"}


class Status:
    """How a market does, as a small table.

    Parameters
    ----------
    status : mapping
        `Simulation.status`.
    config : Config
    run_id : str
    """

    def __init__(self, status: Mapping[str, Any], config: Config, run_id: str) -> None:
        self.status = status
        self._config = config
        self._run_id = run_id

    def _facts(self) -> list[tuple[str, Cell | str]]:
        status, config = self.status, self._config
        state = status["state"]
        facts: list[tuple[str, Cell | str]] = [
            (
                "state",
                Cell(state + (f": {status['reason']}" if status["reason"] else ""), _STATES.get(state, "")),
            ),
            ("run", self._run_id or "none yet"),
            ("tick", f"{count(status['done'])} at {clock(status['ts_sim'] * 1e-9)}"),
            ("speed", f"{status['speed']}" + self._pace()),
            ("seed", "fresh at the start" if config.run.seed is None else str(config.run.seed)),
        ]
        if status["waiting_for"]:
            facts.append(("waiting for", ", ".join(status["waiting_for"])))
        return facts

    def _pace(self) -> str:
        rate = self.status["ticks_per_s"]
        return f", {rate:,.1f} ticks/s" if rate else ""

    def _accounts(self) -> Table | None:
        status = self.status
        rows = [
            _account(name, of) for name, of in [*status["strategies"].items(), *status["accounts"].items()]
        ]
        header = ("account", "state", "version", "position", "pending", "realised", "cash")
        return Table(header, rows, frozenset({0, 1})) if rows else None

    def __repr__(self) -> str:
        """Return it as text."""
        accounts = self._accounts()
        table = Table(("", ""), self._facts(), frozenset({0, 1})).text()
        return table + (f"\n\n{accounts.text()}" if accounts else "")

    def _repr_html_(self) -> str:
        accounts = self._accounts()
        facts = "".join(
            f"<tr><th class=left>{k}</th><td class=left>{said(v)}</td></tr>" for k, v in self._facts()
        )
        return page(f"<table>{facts}</table>", accounts.html() if accounts else "", live=True)


def _account(name: str, of: Mapping[str, Any]) -> list[Cell | str]:
    state = of.get("state", "by hand")
    word = f"warming up {of['warmup']}" if state == "trading" and of.get("warmup") else state
    return [
        name,
        Cell(word, _STATES.get(state, "")),
        str(of.get("version") or ""),
        quantity(of.get("position", 0.0)),
        quantity(of.get("pending", 0.0)),
        profit(of.get("realized", 0.0)),
        money(of.get("cash", math.nan)),
    ]


class Findings:
    """What the doctor found in a strategy."""

    def __init__(self, name: str, findings: Sequence[Finding]) -> None:
        self.name = name
        self.findings = findings

    def _table(self) -> Table:
        rows = [
            (
                str(found.line),
                Cell(found.level, "bad" if found.level == "error" else ""),
                found.message,
                found.source.strip(),
            )
            for found in self.findings
        ]
        return Table(("line", "", "what", "source"), rows, frozenset({1, 2, 3}), wrap=2)

    def __repr__(self) -> str:
        """Return them as text."""
        return self._table().text() if self.findings else f"{self.name}: nothing to say"

    def _repr_html_(self) -> str:
        return page(self._table().html() if self.findings else f"<p>{escape(self.name)}: nothing to say</p>")


class Strategies:
    """The strategies that have a name here, with what their files say of them."""

    def __init__(self) -> None:
        rows = [_described(name, path) for name, path in sorted(strategy_names().items())]
        self._table = Table(
            ("strategy", "from", "parameters", "what it does"), rows, frozenset({0, 1, 2, 3}), wrap=3
        )

    def __repr__(self) -> str:
        """Return them as text."""
        return self._table.text()

    def _repr_html_(self) -> str:
        return page(self._table.html())


def _described(name: str, path: Path) -> tuple[str, str, str, str]:
    """Return a strategy's row; one that Python cannot read shows its name."""
    origin = "algosim" if path.is_relative_to(shipped_folder()) else "workspace"
    tree = _tree(path)
    if tree is None:
        return name, origin, "", f"does not load: %algosim doctor {name}"
    params = ", ".join(f"{key}={value}" for key, value in _params(tree).items())
    return name, origin, params, (ast.get_docstring(tree) or "").partition("\n")[0]


def parameters(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return a strategy's parameters and their values as its file writes them, if it can be read."""
    tree = _tree(Path(path))
    return {} if tree is None else _params(tree)


def _tree(path: Path) -> ast.Module | None:
    try:
        return ast.parse(path.read_text("utf-8-sig"))
    except (OSError, SyntaxError, ValueError):
        return None


def _params(tree: ast.Module) -> dict[str, str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            if names == ["PARAMS"]:
                pairs = zip(node.value.keys, node.value.values, strict=True)
                return {
                    str(key.value): ast.unparse(value)
                    for key, value in pairs
                    if isinstance(key, ast.Constant)
                }
    return {}
