"""The live engine: the same core in processes of its own, talking ZeroMQ, and the handle that steers it."""
