"""The layers hold: imports run downward, and the core can touch nothing outside itself."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = sorted((ROOT / "algosim" / "core").rglob("*.py"))

# No clock, socket, file, thread or process is behind these.
PURE = {
    "__future__", "abc", "array", "ast", "bisect", "builtins", "collections", "contextlib", "copy",
    "dataclasses", "decimal", "difflib", "enum", "fractions", "functools", "hashlib", "heapq", "inspect",
    "itertools", "keyword", "math", "operator", "random", "re", "statistics", "string", "struct", "textwrap",
    "tokenize", "traceback", "types", "typing", "unicodedata", "warnings",
    "msgspec", "numpy",
}  # fmt: skip
BELOW = {"config", "errors", "events", "times", "core"}
TOUCHING = {"__import__", "breakpoint", "eval", "exec", "input", "open", "print"}


def lint(folder):
    """Run import-linter on the package in `folder`."""
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_contracts_on_imports_are_kept():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("core/market.py", "import time", "the core is pure"),
        ("core/blocks.py", "def late():\n    import socket", "the core is pure"),
        ("core/portfolio.py", "from algosim.runs import evaluate", "imports run downward"),
    ],
)
def test_the_contracts_would_find_a_breach(tmp_path, file, line, contract):
    shutil.copytree(ROOT / "algosim", tmp_path / "algosim", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "algosim" / file).open("a", encoding="utf-8") as source:
        source.write(f"\n\n{line}\n")
    done = lint(tmp_path)
    assert done.returncode == 1
    broken = [text for text in done.stdout.splitlines() if " BROKEN" in text]
    assert any(text.startswith(contract) for text in broken)


@pytest.mark.parametrize(
    "path", CORE, ids=lambda path: path.relative_to(ROOT / "algosim" / "core").as_posix()
)
def test_a_file_of_the_core_is_pure(path):
    """What import-linter does not see: the standard library's less obvious doors, and built-in functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for name in imported(node):
            top, _, rest = name.partition(".")
            allowed = rest.partition(".")[0] in BELOW if top == "algosim" else top in PURE
            assert allowed, f"line {node.lineno}: import of {name}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in TOUCHING, f"line {node.lineno}: call of {node.func.id}"


def imported(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) else []


def test_the_core_loads_nothing_heavy():
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in CORE
    ]
    heavy = ["click", "ipywidgets", "pandas", "plotly", "psutil", "rich", "yaml", "zmq"]
    code = (
        f"import importlib, sys\nfor name in {names}: importlib.import_module(name)\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
