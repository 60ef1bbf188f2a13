"""What is mounted, from /proc/self/mountinfo (proc(5))."""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mount:
    path: Path
    kind: str
    source: str
    options: frozenset[str]


def read_mounts(text: str | None = None) -> list[Mount]:
    """All mounts of our mount namespace, in the order they were made."""
    lines = (Path("/proc/self/mountinfo").read_text() if text is None else text).splitlines()
    mounts = []
    for line in lines:
        before, _, after = line.partition(" - ")
        kind, source, options = after.split(" ", 2)
        path = _plain(before.split(" ")[4])
        mounts.append(Mount(Path(path), kind, source, frozenset(options.split(","))))
    return mounts


def _plain(escaped: str) -> str:
    """Blanks and backslashes are written as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), escaped)


def is_mounted(path: Path) -> bool:
    return any(mount.path == path for mount in read_mounts())


def is_namespace(path: Path) -> bool:
    """True when a namespace is pinned there; after a reboot only an empty file may be left."""
    return any(mount.path == path and mount.kind == "nsfs" for mount in read_mounts())
