"""Read a file outside as a database, by a library in C."""

import sqlite3


def attack(ctx, at):
    return (
        sqlite3.connect(f"file:{at['secret']}?mode=ro", uri=True)
        .execute("attach ? as x", (at["secret"],))
        .fetchall()
        or None
    )
