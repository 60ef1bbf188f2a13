"""What an author is told: one problem, with its place and a way out.

The codes are those of the lesson format, section 8; `lessons.codes` says of each whether it stops a lesson.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from lessons.codes import CODES


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake. `file` is relative to the course folder; `line` and `column` count from 1."""

    file: str
    line: int
    column: int
    code: str
    message: str
    help: str = ""

    def __str__(self) -> str:
        tail = f"  help: {self.way_out}" if self.way_out else ""
        return f"{self.file}:{self.line}:{self.column} {self.code} {self.message}{tail}"

    @property
    def way_out(self) -> str:
        """The help of this very place; else that of its code, unless the message proposes something itself."""
        proposes = any(word in self.message for word in ("did you mean", "needs a newer", "; try ", "; use "))
        return self.help or ("" if proposes else CODES[self.code].way_out)

    @property
    def is_error(self) -> bool:
        return CODES[self.code].severity == "error"


class LessonInvalid(Exception):
    """The folder does not hold a lesson (or course) that can be taught. `problems` is sorted, never empty."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: list[Problem] = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean "points"?`, or an empty string when nothing is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else ""


def with_suggestion(message: str, word: str, known: Iterable[str]) -> str:
    """`message; did you mean …?`"""
    suggestion = did_you_mean(word, known)
    return f"{message}; {suggestion}" if suggestion else message
