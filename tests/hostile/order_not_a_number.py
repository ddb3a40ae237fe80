"""Order what is no quantity."""


def attack(ctx, at):
    taken = [
        ctx.place_market_order("BUY", qty)
        for qty in (float("nan"), float("inf"), -1.0, 0.0, 1e300, "x", None)
    ]
    return any(taken)
