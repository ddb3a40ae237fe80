"""Change how the kernel chooses victims."""


def attack(ctx, at):
    with open("/proc/self/oom_score_adj", "w") as file:
        return file.write("0")
