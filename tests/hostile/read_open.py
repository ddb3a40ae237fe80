"""Read a file outside with open."""


def attack(ctx, at):
    with open(at["secret"]) as file:
        return file.read()
