"""Toss a coin: now and then take a random position, long, flat or short, without a look at the price.

This is the null hypothesis of trading: all it can earn is luck, so what it loses on average is the costs.
"""

NAME = "Random trader"
PARAMS = {"chance": 0.02, "qty": 1.0}
SIDES = ("short", "flat", "long")


def init(ctx):
    ctx.chance = ctx.get_param("chance")  # of a new position, per tick
    ctx.qty = ctx.get_param("qty")


def on_tick(ctx, tick):
    if ctx.rng.random() >= ctx.chance:  # this strategy's own dice: the same seed throws the same again
        return

    toss = int(ctx.rng.integers(3))
    ctx.target((toss - 1) * ctx.qty, tag=SIDES[toss])
