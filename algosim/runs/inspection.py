"""The doctor, for a file on disk."""

from __future__ import annotations

import ast
import os
from typing import TYPE_CHECKING, Any

from algosim.core.doctor import MAX_BYTES, Finding, check
from algosim.errors import ConfigError
from algosim.runs.workspace import path_of, strategy_names

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["declared_parameters", "doctor"]


def doctor(file: str | os.PathLike[str]) -> list[Finding]:
    """Check a strategy without running it.

    Parameters
    ----------
    file : path or name
        A strategy's file, its folder, or the name of a shipped strategy or one of the workspace.

    Returns
    -------
    list of Finding
        Each with line, level, rule and message; empty if there is nothing to say.

    Raises
    ------
    ConfigError
        If there is no such file.
    """
    path = path_of(file, "a strategy is a file, a folder or a name")
    text = os.fspath(file)
    if path.is_dir():
        path /= "strategy.py"
    if not path.is_file():
        path = strategy_names().get(text, path)
    try:
        with path.open("rb") as stream:
            return check(stream.read(MAX_BYTES + 1), str(path))
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}; give a strategy's file, folder or name"
        raise ConfigError(msg) from error


def declared_parameters(file: Path) -> dict[str, Any]:
    """Return the ``PARAMS`` that a strategy's file writes out, without running it; empty if it does not."""
    try:
        tree = ast.parse(file.read_text("utf-8-sig"))
    except (OSError, SyntaxError, ValueError):
        return {}
    params: dict[str, Any] = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "PARAMS" for target in targets):
            params = _literal(getattr(node, "value", None))
    return params


def _literal(value: ast.expr | None) -> dict[str, Any]:
    try:
        found = ast.literal_eval(value) if value is not None else {}
    except (ValueError, TypeError):  # computed, or not to be hashed
        return {}
    return {str(name): item for name, item in found.items()} if isinstance(found, dict) else {}
