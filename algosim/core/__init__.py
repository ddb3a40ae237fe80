"""The pure core: market, indicators, strategy, broker, portfolio, metrics and the one ordered loop.

Nothing in here knows a clock, a socket, a file, a thread or a process.
"""
