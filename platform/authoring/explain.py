"""`glasshull lesson explain CODE`: what a code of the linter refuses, and why."""

from __future__ import annotations

import sys

from lessons.codes import CODES
from lessons.problems import did_you_mean


def command(code: str) -> int:
    """Print one code, or all of them in short when none is named; 2 for an unknown one."""
    wanted = code.upper()
    if not wanted:
        print("\n".join(f"{name} {each.severity:7} {each.refuses}" for name, each in CODES.items()))
        return 0
    if wanted not in CODES:
        print(f'There is no code "{code}". {did_you_mean(wanted, CODES)}'.rstrip(), file=sys.stderr)
        return 2
    found = CODES[wanted]
    print(f"{wanted} ({found.severity}): {found.refuses}\n\n{found.why}\n\nWhat to do: {found.way_out}.")
    return 0
