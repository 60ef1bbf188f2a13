"""Why something a person asked for is not done."""

from __future__ import annotations

from sandbox.errors import SandboxError


class ActRefused(SandboxError):
    """`code` is for programs, `str()` a sentence for the person."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
