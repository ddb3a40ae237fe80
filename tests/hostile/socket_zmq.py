"""Use the engine's own library."""


def attack(ctx, at):
    import zmq  # noqa: PLC0415

    zmq.Context().socket(zmq.PUSH).connect(f"tcp://127.0.0.1:{at['port']}")
    return "connected"
