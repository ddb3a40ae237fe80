"""Go with the move: long after the price has risen by more than a threshold, short after such a fall.

The change is measured over the last `window` ticks; while it is smaller, the position stays as it is.
"""

NAME = "Momentum"
PARAMS = {"window": 20, "threshold_pct": 10.0, "qty": 1.0}


def init(ctx):
    ctx.window = int(ctx.get_param("window"))
    ctx.threshold = ctx.get_param("threshold_pct")
    ctx.qty = ctx.get_param("qty")


def on_tick(ctx, tick):
    prices = ctx.history(ctx.window + 1)  # oldest first, the present one last
    if len(prices) <= ctx.window:
        return  # warming up

    change = 100 * (tick["price"] / prices[0] - 1)
    ctx.plot("change %", change)
    if change > ctx.threshold:
        ctx.target(ctx.qty, tag="rising")
    elif change < -ctx.threshold:
        ctx.target(-ctx.qty, tag="falling")
