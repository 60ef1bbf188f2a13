"""Root typed a command that works on the web server's files: go on as their owner."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from .children import command_for, environment_for
from .home import HomeUnfit, default_home, ensure_home, ensure_owner


def go_on_as_owner(arguments: list[str]) -> NoReturn:
    """Replace this process; never returns."""
    home = default_home()
    try:
        owner = ensure_owner()
        ensure_home(home, owner)
    except HomeUnfit as reason:
        sys.exit(str(reason))
    command = command_for(arguments, home, owner)
    keep = {name: value for name, value in os.environ.items() if name == "TERM"}
    os.execve(command[0], command, {**environment_for(home), **keep})  # noqa: S606
