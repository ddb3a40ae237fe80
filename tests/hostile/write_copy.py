"""Copy a file of the working folder to the outside inside of the kernel."""

import os
import shutil


def attack(ctx, at):
    with open("copied", "w") as file:
        file.write("x")
    return shutil.copyfile("copied", os.path.join(at["outside"], "copy"))
