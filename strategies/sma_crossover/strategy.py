"""Follow the trend: long while a fast average of the price is above a slow one, short while it is below.

The fast average turns first when the price does, so the moment they cross is read as a change of trend.
"""

NAME = "SMA crossover"
PARAMS = {"fast": 20, "slow": 50, "qty": 1.0}


def init(ctx):
    ctx.fast = ctx.indicator.SMA(ctx.get_param("fast"))
    ctx.slow = ctx.indicator.SMA(ctx.get_param("slow"))
    ctx.qty = ctx.get_param("qty")
    ctx.side = 0  # +1 long, -1 short, 0 before the first signal


def on_tick(ctx, tick):
    price = tick["price"]
    fast = ctx.fast.update(price)
    slow = ctx.slow.update(price)
    if fast is None or slow is None:
        return  # warming up

    side = 1 if fast > slow else -1 if fast < slow else ctx.side
    if side != ctx.side:
        ctx.side = side
        ctx.target(side * ctx.qty, tag="fast above slow" if side > 0 else "fast below slow")
