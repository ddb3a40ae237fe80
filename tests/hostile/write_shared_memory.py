"""Write to memory that all share."""


def attack(ctx, at):
    with open("/dev/shm/algosim-hostile", "w") as file:
        return file.write("x")
