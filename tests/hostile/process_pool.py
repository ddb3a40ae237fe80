"""Start a pool of processes."""

import concurrent.futures


def attack(ctx, at):
    with concurrent.futures.ProcessPoolExecutor(1) as pool:
        return pool.submit(abs, -1).result(2)
