"""Run a command as an unprivileged user that can reach only what it needs.

Started as a file of its own (`python confined.py --user glasshull --keep PATH ... -- COMMAND`), as root,
with the standard library only. A checkout or a Python below a folder that only root may enter (/root is
0700) could not be used by another user. Instead of opening such folders, the process gets a mount
namespace of its own in which every closed folder on the way to a kept path is replaced by an empty one
holding just the kept paths. So the pages' server cannot even name the rest.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import pwd
import stat
import sys
from pathlib import Path

CLONE_NEWNS = 0x00020000
MS_BIND, MS_REC, MS_PRIVATE, MS_NOSUID, MS_NODEV = 0x1000, 0x4000, 1 << 18, 0x2, 0x4
PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, SIGTERM = 38, 1, 15

libc = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: object) -> None:
    """A system call through libc. Raises OSError."""
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    call(
        "mount",
        source.encode(),
        target.encode(),
        kind.encode() if kind else None,
        flags,
        data.encode() if data else None,
    )


def first_closed_parent(path: Path, uid: int, gid: int) -> Path | None:
    """The outermost folder above `path` that `uid` may not enter."""
    for folder in reversed(path.parents):
        found = folder.stat()
        if found.st_uid == uid:
            allowed = bool(found.st_mode & stat.S_IXUSR)
        elif found.st_gid == gid:
            allowed = bool(found.st_mode & stat.S_IXGRP)
        else:
            allowed = bool(found.st_mode & stat.S_IXOTH)
        if not allowed:
            return folder
    return None


def covers_for(kept: list[Path], uid: int, gid: int) -> dict[Path, list[Path]]:
    """Closed folder -> the kept paths below it that need a way in."""
    covers: dict[Path, list[Path]] = {}
    for path in kept:
        closed = first_closed_parent(path, uid, gid)
        if closed is not None:
            covers.setdefault(closed, []).append(path)
    return covers


def open_ways(covers: dict[Path, list[Path]]) -> None:
    """Replace each closed folder, for this process and its children only."""
    call("unshare", CLONE_NEWNS)
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    held = {path: os.open(path, os.O_PATH) for paths in covers.values() for path in paths}
    for closed, paths in covers.items():
        mount("tmpfs", str(closed), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m")
        for path in sorted(set(paths), key=lambda one: len(one.parts)):
            if not path.exists():
                path.mkdir(parents=True, mode=0o755)
            mount(f"/proc/self/fd/{held[path]}", str(path), None, MS_BIND | MS_REC)
    for descriptor in held.values():
        os.close(descriptor)


def become(user: pwd.struct_passwd) -> None:
    os.setgroups([user.pw_gid])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.umask(0o027)
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    call("prctl", PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--user", required=True)
    parser.add_argument("--keep", action="append", default=[], type=Path)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    user = pwd.getpwnam(options.user)
    here = Path.cwd()
    covers = covers_for([path.resolve() for path in options.keep], user.pw_uid, user.pw_gid)
    if covers:
        open_ways(covers)
    become(user)
    os.chdir(here)
    os.environ["HOME"] = "/nonexistent"
    os.execvp(command[0], command)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"The process could not be confined: {error}")
