"""The command ``algosim lab``: JupyterLab on the lessons, with settings fit for them."""

from __future__ import annotations

import os
import sys
from importlib import import_module, util
from pathlib import Path
from typing import TYPE_CHECKING

import click

from algosim.cli.outcome import example
from algosim.errors import AlgosimError, ConfigError, did_you_mean
from algosim.runs.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["arguments", "lab"]

SETTINGS = Path(__file__).with_name("jupyter")
"""A folder of Jupyter's configuration; what a person has set in JupyterLab goes over it."""

_OPTIONS = "algosim.lab_options"


class _Through(click.Command):
    """Keeps what follows ``--`` for JupyterLab."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read our own arguments."""
        end = args.index("--") if "--" in args else len(args)
        ctx.meta[_OPTIONS] = args[end + 1 :]
        return super().parse_args(ctx, args[:end])

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return how the arguments are written."""
        return [*super().collect_usage_pieces(ctx), "[-- OPTIONS]"]


@click.command(
    "lab",
    cls=_Through,
    options_metavar="",
    epilog=example("sim lab", "sim lab 01", "sim lab -- --port 9000 --no-browser"),
)
@click.argument("lesson", required=False)
@click.pass_context
def lab(context: click.Context, lesson: str | None) -> None:
    """Open the lessons in JupyterLab.

    LESSON is the name of a notebook in lessons/, or how it begins: 01. What follows -- goes to JupyterLab as
    it stands. Without lessons it opens the workspace's folder.
    """
    words = arguments(lesson, context.meta[_OPTIONS])
    if util.find_spec("jupyterlab") is None:
        msg = "JupyterLab is not installed: pip install 'algosim[lab]'"
        raise AlgosimError(msg)
    known = os.environ.get("JUPYTER_CONFIG_PATH")
    os.environ["JUPYTER_CONFIG_PATH"] = f"{SETTINGS}{os.pathsep}{known}" if known else str(SETTINGS)
    sys.exit(import_module("jupyterlab.labapp").main(words))


def arguments(lesson: str | None, options: Sequence[str] = ()) -> list[str]:
    """Return what JupyterLab is started with.

    Parameters
    ----------
    lesson : str or None
        The notebook to open, as its name begins; None for the list of lessons.
    options : sequence of str
        Further options of JupyterLab.

    Raises
    ------
    ConfigError
        If there is no such lesson, or several.
    """
    root = workspace()
    where = f"--ServerApp.root_dir={root}"
    if lesson is not None:
        return [where, f"--LabApp.default_url=/lab/tree/lessons/{_notebook(root, lesson)}", *options]
    if (root / "lessons").is_dir():
        return [where, "--LabApp.default_url=/lab/tree/lessons", *options]
    return [where, *options]


def _notebook(root: Path, lesson: str) -> str:
    """Return the file name of a lesson."""
    names = sorted(path.name for path in (root / "lessons").glob("*.ipynb"))
    wanted = lesson.removeprefix("lessons/")
    found = [name for name in names if wanted in (name, name.removesuffix(".ipynb"))]
    found = found or [name for name in names if name.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        msg = f"there are several lessons {lesson!r}: {', '.join(found)}"
        raise ConfigError(msg)
    stems = [name.removesuffix(".ipynb") for name in names]
    there = f"there are: {', '.join(stems)}" if stems else f"{root / 'lessons'} has no notebooks"
    msg = f"no lesson {lesson!r}{did_you_mean(wanted, stems)}; {there}"
    raise ConfigError(msg)
