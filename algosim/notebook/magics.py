"""The magics ``%algosim`` and ``%%strategy``; they parse and delegate."""

from __future__ import annotations

from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from algosim.notebook.plain_errors import without_traceback

__all__ = ["AlgosimMagics"]


@magics_class
class AlgosimMagics(Magics):
    """What a notebook says to algosim in one line, or in a cell."""

    @line_magic
    def algosim(self, line: str) -> object:
        """Command the newest market of this notebook.

        Examples
        --------
        ::

            %algosim start --strategy sma_crossover --seed 42 --speed 5
            %algosim dashboard
            %algosim set sigma=0.4 latency_ms=200
            %algosim set --id sma_crossover fast=10 slow=30
            %algosim pause
            %algosim step 10
            %algosim resume
            %algosim status
            %algosim trades 10
            %algosim metrics
            %algosim stop
            %algosim replay
            result = %algosim stop

        ``%algosim help`` lists the subcommands, ``%algosim help start`` explains one, and
        ``%algosim help ctx`` shows the card for writing strategies. Tab completes subcommands, options,
        settings and names.
        """
        from algosim.notebook import commands  # noqa: PLC0415  (half of what an import of algosim may cost)

        with without_traceback():
            return commands.run(line)

    @cell_magic
    def strategy(self, line: str, cell: str) -> None:
        """Check a strategy, save it, and have the market trade it.

        Examples
        --------
        ::

            %%strategy my_sma fast=10

            PARAMS = {"fast": 20, "slow": 50}

            def init(ctx):
                ctx.fast = ctx.indicator.SMA(ctx.get_param("fast"))
                ctx.slow = ctx.indicator.SMA(ctx.get_param("slow"))

            def on_tick(ctx, tick):
                fast, slow = ctx.fast.update(tick["price"]), ctx.slow.update(tick["price"])
                if fast is not None and slow is not None:
                    ctx.target(1 if fast > slow else -1)

        Writes ``strategies/my_sma/strategy.py``. A running market trades it from the next tick on; run the
        cell again after an edit and the new version takes over, with the position as it is. Where no market
        runs, the next one has it. Options: ``--id ID`` for another account than the name's, ``--keep-state``
        to offer the new version what ``ctx.set_state`` kept, ``--shadow`` to take the name of a strategy
        that comes with algosim. ``name=value`` gives a parameter of ``PARAMS`` another value.

        An error, also one that comes later, is shown under the cell with the cell's own line.
        ``%algosim help ctx`` shows what ``ctx`` and ``tick`` offer.
        """
        from algosim.notebook import strategy_cell  # noqa: PLC0415

        with without_traceback():
            strategy_cell.take(line, cell)
