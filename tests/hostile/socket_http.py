"""Fetch a page."""

import urllib.request


def attack(ctx, at):
    with urllib.request.urlopen(f"http://127.0.0.1:{at['port']}/", timeout=1) as page:
        return page.read()
