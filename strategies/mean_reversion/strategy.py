"""Bet on a return to the mean: buy what is unusually cheap, sell what is unusually dear.

Unusual is a z-score beyond `entry`, that is, so many standard deviations from the mean of the last prices;
the position is closed once the z-score is within `exit` of zero.
"""

NAME = "Mean reversion"
PARAMS = {"window": 50, "entry": 2.0, "exit": 0.5, "qty": 1.0}


def init(ctx):
    ctx.zscore = ctx.indicator.ZScore(ctx.get_param("window"))
    ctx.entry = ctx.get_param("entry")
    ctx.exit = ctx.get_param("exit")
    ctx.qty = ctx.get_param("qty")


def on_tick(ctx, tick):
    z = ctx.zscore.update(tick["price"])
    if z is None:
        return  # warming up

    # target orders only what is missing, so it does no harm to say the same thing at every tick
    if z < -ctx.entry:
        ctx.target(ctx.qty, tag="cheap")
    elif z > ctx.entry:
        ctx.target(-ctx.qty, tag="dear")
    elif abs(z) < ctx.exit:
        ctx.target(0, tag="back at the mean")
    # in between: keep what we have
