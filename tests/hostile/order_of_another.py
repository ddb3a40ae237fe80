"""Order for the account of another."""

import contextlib


def attack(ctx, at):
    with contextlib.suppress(AttributeError):
        ctx._desk.id = ctx._desk.account = at["other"]
    ctx.place_market_order("BUY", 777.0, tag=at["other"])
    return
