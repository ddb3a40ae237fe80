"""The commands without a live market: ``sim eval`` and ``sim replay``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from algosim.cli.options import given_options, run_options
from algosim.cli.outcome import example
from algosim.cli.progress import Bar
from algosim.cli.summary import print_replayed, print_result
from algosim.runs.evaluate import evaluate
from algosim.runs.replay import replay

if TYPE_CHECKING:
    from algosim.cli.options import RunOptions
    from algosim.runs.result import Result

__all__ = ["evaluate_run", "replay_run"]


@click.command(
    "eval",
    epilog=example(
        "sim eval --strategy sma_crossover --seed 42 --duration 60s",
        "sim eval --strategy momentum --strategy bollinger --ticks 10000 --set model.sigma=0.3 --out out",
    ),
)
@run_options
@click.option(
    "--isolation",
    type=click.Choice(["account", "process"]),
    default="account",
    show_default=True,
    help="What shares a strategy's process: the books of its own account, or nothing (slower; for grading).",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.pass_context
def evaluate_run(context: click.Context, *, isolation: str, as_json: bool) -> int:
    """Run strategies headless, as fast as the machine can.

    Prints the metrics and last the digest, which is equal for equal runs: a live run with the same seed,
    configuration and strategies has the same. With --out it writes the run's folder, all events included.

    A strategy cannot reach the machine, the seed or another strategy. With --isolation process it cannot
    cheat in the books of its own account either, nor look at ticks to come; the digest is the same.
    """
    options = given_options(context)
    if isolation == "process":
        return print_result(_apart(options), as_json=as_json)
    with Bar("evaluating", context.obj) as bar:
        result = evaluate(
            options.strategy,
            seed=options.seed,
            duration=options.duration,
            ticks=options.ticks,
            config=options.config,
            settings=options.settings,
            out=options.out,
            progress=bar,
        )
    return print_result(result, as_json=as_json)


def _apart(options: RunOptions) -> Result:
    from algosim.live.apart import evaluate_apart  # noqa: PLC0415  (zmq takes longer to import than a short run)

    return evaluate_apart(
        options.strategy,
        seed=options.seed,
        duration=options.duration,
        ticks=options.ticks,
        config=options.config,
        settings=options.settings,
        out=options.out,
    )


@click.command("replay", epilog=example("sim replay last", "sim replay runs/20250101-120000-ab12"))
@click.argument("run")
@click.pass_context
def replay_run(context: click.Context, run: str) -> None:
    """Run a recorded run again and check that nothing differs.

    RUN is a run's folder, its id, or last. Everything that was done during the run is done again: changed
    settings, manual orders, edited strategies. If any event differs, the first one is named.
    """
    with Bar("replaying", context.obj) as bar:
        result = replay(run, progress=bar)
    print_replayed(result)
