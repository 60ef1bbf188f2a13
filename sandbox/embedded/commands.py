"""The machine's own tools, called by lists of arguments."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from sandbox.embedded.errors import CommandFailed

Argv = Sequence[str | Path]


def run(argv: Argv, *, stdin: str | None = None, timeout: float = 30.0) -> str:
    """Run to the end and give the standard output.

    Raises CommandFailed with the tool's own last words.
    """
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words, input=stdin, capture_output=True, text=True, timeout=timeout, check=False
        )
    except FileNotFoundError as error:
        raise CommandFailed(f"`{words[0]}` is not installed.", "Install it, then start again.") from error
    except subprocess.TimeoutExpired as error:
        raise CommandFailed(f"`{' '.join(words[:4])}` did not end within {timeout:.0f} s.") from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise CommandFailed(f"`{' '.join(words[:8])}` failed ({done.returncode}): {said}")
    return done.stdout


def try_run(argv: Argv, *, timeout: float = 30.0) -> str | None:
    """The same where a refusal is an answer: None instead of an error."""
    try:
        return run(argv, timeout=timeout)
    except CommandFailed:
        return None
