"""The command line: ``algosim``, and ``sim`` for short; this file knows which commands there are."""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

import algosim
from algosim.cli.outcome import Session, example, is_full, report, unheard, while_read
from algosim.errors import AlgosimError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMMANDS", "main"]


class Place(NamedTuple):
    """Where a command is defined, and its summary in the list of commands."""

    module: str
    name: str
    summary: str


COMMANDS = {
    "run": Place("live", "run", "Run a live market in real processes and watch it."),
    "eval": Place("headless", "evaluate_run", "Run strategies headless, as fast as the machine can."),
    "replay": Place("headless", "replay_run", "Run a recorded run again and check that nothing differs."),
    "play": Place("play", "play", "Watch a recorded run again, at any speed."),
    "present": Place("present", "present", "Show a run full-screen in the browser."),
    "lab": Place("lab", "lab", "Open the lessons in JupyterLab."),
    "new-strategy": Place("strategies", "new_strategy", "Start a strategy of your own from a template."),
    "doctor": Place("strategies", "doctor", "Check a strategy without running it."),
    "sandbox": Place("sandbox", "sandbox", "Try out what keeps a strategy from this machine."),
    "config": Place("runs", "config", "Print the default configuration, every setting explained."),
    "runs": Place("runs", "runs", "List the recorded runs of this workspace."),
}


class Commands(click.Group):
    """The commands by name; a command's module is imported when it is called, so that help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click calls it so)
        """Return the names, in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """Return a command.

        Raises
        ------
        click.UsageError
            If there is none of that name.
        """
        place = COMMANDS.get(cmd_name)
        if place is None:
            raise click.UsageError(f"no command {cmd_name!r}{did_you_mean(cmd_name, COMMANDS)}", ctx)
        command = getattr(import_module(f"algosim.cli.{place.module}"), place.name)
        assert isinstance(command, click.Command)
        return command

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401  (click's own)
    ) -> click.Context:
        """Read the arguments; help is printed here."""
        with while_read():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  (what a command returns)
        """Run the command."""
        with while_read():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.summary) for name, place in COMMANDS.items()])


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=example("sim run --strategy sma_crossover --seed 42 --duration 60s"),
)
@click.version_option(algosim.__version__, prog_name="algosim", message="%(prog)s %(version)s")
def sim() -> None:
    """Simulate a market, trade it with your strategies, and replay what happened.

    Every command explains itself: sim COMMAND --help.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        As after the program's name; those of the process by default.

    Returns
    -------
    int
        0 if all went well, 1 if the run failed, 2 for bad input, 141 if who read the output has left.
    """
    if sys.stdout is None:  # closed by who started the program
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  (as long as the process)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a strategy may print what the console cannot show
    given = list(sys.argv[1:] if arguments is None else arguments)
    session = Session()
    try:
        return int(sim.main(given or ["--help"], obj=session, standalone_mode=False) or 0)
    except (AlgosimError, click.ClickException, click.Abort) as error:
        return report(error, begun=session.begun)
    except OSError as error:
        if not is_full(error):
            raise
        return unheard(error)
