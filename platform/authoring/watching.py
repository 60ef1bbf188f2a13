"""Noticing that a file of a course was saved: by looking, several times a second, without any library."""

from __future__ import annotations

import os
from pathlib import Path

LOOK = 0.25  # seconds between two looks: a page is there again well within a second of a save

Stamp = dict[str, tuple[int, int]]  # path within the folder -> (change time in ns, size)


def stamp_of(folder: Path) -> Stamp:
    """Every file, but hidden ones and editors' copies. A file that goes away meanwhile is not there."""
    found: Stamp = {}
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.startswith(".") or name.endswith("~"):
                continue
            path = Path(where, name)
            try:
                stat = path.stat()
            except OSError:
                continue
            found[path.relative_to(folder).as_posix()] = (stat.st_mtime_ns, stat.st_size)
    return found


def changed(before: Stamp, after: Stamp) -> list[str]:
    """Files made, changed or removed, sorted."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
