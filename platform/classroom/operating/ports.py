"""Who holds a port, in one sentence."""

from __future__ import annotations

import re
import socket
import subprocess


def holder_of(port: int) -> str:
    """ "nginx (pid 812)", or "another program" when the kernel will not tell."""
    try:
        lines = subprocess.run(
            ["ss", "-Hlntp", f"sport = :{port}"], capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        return "another program"
    found = re.search(r'users:\(\("([^"]+)",pid=(\d+)', lines)
    return f"{found[1]} (pid {found[2]})" if found else "another program"


def is_free(bind: str, port: int) -> bool:
    """May we listen there? False also for an address that this machine does not have."""
    return _can_bind(bind, port)


def is_own_address(bind: str) -> bool:
    return _can_bind(bind, 0)


def _can_bind(bind: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind.strip("[]"), port))
        except OSError:
            return False
    return True
