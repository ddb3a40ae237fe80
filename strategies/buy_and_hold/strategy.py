"""Buy once and wait: the yardstick that any cleverer strategy has to beat.

It pays its costs a single time, and from then on its profit is the market's.
"""

NAME = "Buy and hold"
PARAMS = {"qty": 1.0}


def init(ctx):
    ctx.qty = ctx.get_param("qty")


def on_tick(ctx, tick):
    # Say what we want to hold, at every tick. The first time this buys; after that nothing is missing,
    # not even while the order is still on its way, and nothing is ordered.
    ctx.target(ctx.qty, tag="hold")


def on_stop(ctx):
    ctx.log(f"held {ctx.position():g} to the end, equity {ctx.equity():,.2f}")
