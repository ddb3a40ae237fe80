"""Trade the bounce: buy when the price falls out of its Bollinger bands, sell short when it rises out.

The bands are so many standard deviations around a moving average; the position is closed when the price is
back at the middle.
"""

NAME = "Bollinger bounce"
PARAMS = {"window": 50, "width": 2.0, "qty": 1.0}


def init(ctx):
    ctx.bands = ctx.indicator.Bollinger(ctx.get_param("window"), ctx.get_param("width"))
    ctx.qty = ctx.get_param("qty")


def on_tick(ctx, tick):
    price = tick["price"]
    bands = ctx.bands.update(price)
    if bands is None:
        return  # warming up

    holding = ctx.position() + ctx.pending()  # what we have once the orders in flight are filled
    if price < bands.lower:
        ctx.target(ctx.qty, tag="below the bands")
    elif price > bands.upper:
        ctx.target(-ctx.qty, tag="above the bands")
    elif (holding > 0 and price >= bands.middle) or (holding < 0 and price <= bands.middle):
        ctx.target(0, tag="back at the middle")
