"""Write a database outside."""

import os
import sqlite3


def attack(ctx, at):
    sqlite3.connect(os.path.join(at["outside"], "base")).execute("create table x (y)")
    return "written"
