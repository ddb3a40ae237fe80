"""Change its own code, which was recorded."""


def attack(ctx, at):
    with open(__file__, "a") as file:
        return file.write("x")
