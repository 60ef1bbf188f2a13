"""The linter's code for what the CEL compiler says (`sandbox.record.cel`); held by a test per sentence."""

from __future__ import annotations

import re

_BOUNDS = re.compile(r"iterations >|characters are more|syntax nodes are more|macros are nested")
_NAMES = re.compile(
    r"needs each:|needs brackets|is for hints only|is for predictions, questions|changes without any entry"
    r'|there is no "|there is no kind'
)
_IDS = re.compile(r'\A(params|probe|prediction|answer|check) has no "')
_SELECTOR = re.compile(r"selector|label", re.IGNORECASE)


def code_of(message: str) -> str:
    """The linter's code for what the compiler says."""
    if _BOUNDS.search(message):
        return "L031"
    if _IDS.search(message):
        return "L020"
    if _NAMES.search(message):
        return "L023"
    return "L021" if _SELECTOR.search(message) and "overload" not in message else "L022"
