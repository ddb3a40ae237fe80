"""Tab behind ``%algosim`` and ``%%strategy``."""

from __future__ import annotations

import re

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

__all__ = ["matches"]

_HERE = re.compile(r"(?:^|=)\s*(%algosim\s.*|%%strategy\s.*)$")


@context_matcher(priority=1000.0)  # type: ignore[untyped-decorator]
def matches(context: CompletionContext) -> SimpleMatcherResult:
    """Return what fits; where something does, the completer asks nobody else."""
    here = _HERE.search(context.text_until_cursor)
    if here is None:
        return {"completions": []}
    from algosim.notebook.suggestions import suggestions  # noqa: PLC0415  (what magics need, once one is typed)

    # What follows the last space, or its equals sign, is what a suggestion stands for
    typed = re.split(r"[\s=]", here[1])[-1]
    fitting = [word for word in suggestions(here[1]) if word.lower().startswith(typed.lower())]
    completions = [SimpleCompletion(text=word, type="algosim") for word in fitting]
    return {"completions": completions, "matched_fragment": typed, "suppress": bool(fitting), "ordered": True}
