"""The state folder: where it is, what lies in it, who may enter."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

SERVICE_USER = "glasshull"


class HomeUnfit(Exception):
    """One sentence for the operator: the cause and the next step."""


def default_home() -> Path:
    """`GLASSHULL_HOME`, else ~/.local/share/glasshull."""
    given = os.environ.get("GLASSHULL_HOME")
    return Path(given).expanduser().absolute() if given else Path.home() / ".local/share/glasshull"


@dataclass(frozen=True)
class Owner:
    """Whom the web server and the worker run as."""

    name: str
    uid: int
    gid: int


def ensure_owner() -> Owner:
    """A system user of our own when root starts us, else whoever started us. Raises HomeUnfit."""
    if os.geteuid() != 0:
        entry = pwd.getpwuid(os.geteuid())
        return Owner(entry.pw_name, entry.pw_uid, entry.pw_gid)
    try:
        entry = pwd.getpwnam(SERVICE_USER)
    except KeyError:
        made = subprocess.run(
            [
                "useradd",
                "--system",
                "--user-group",
                "--no-create-home",
                "--shell",
                "/usr/sbin/nologin",
                SERVICE_USER,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise HomeUnfit(f"The user {SERVICE_USER} could not be made: {made.stderr.strip()}") from None
        entry = pwd.getpwnam(SERVICE_USER)
    return Owner(entry.pw_name, entry.pw_uid, entry.pw_gid)


def ensure_home(home: Path, owner: Owner) -> None:
    """Make the state folder (0700), what root shares and what the owner's processes may write. Raises HomeUnfit.

    Root writes into `shared/` and `log/`, which are its own, and never by name below `web/`: the service user
    owns that folder and could have laid a link there.
    """
    root = os.geteuid() == 0
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        home.chmod(0o700)
        for name, mode in (
            ("shared", 0o750),
            ("shared/kube", 0o750),
            ("shared/audit", 0o750),
            ("log", 0o700),
        ):
            folder = home / name
            folder.mkdir(exist_ok=True, mode=mode)
            folder.chmod(mode)
            os.chown(folder, 0 if root else owner.uid, owner.gid)
        web = home / "web"
        web.mkdir(exist_ok=True, mode=0o750)
        web.chmod(0o750)
        os.chown(web, owner.uid, owner.gid)
        for file in (web / "secret_key", *web.glob("*.sqlite3*")):
            give_to(owner, file)
    except OSError as error:
        raise HomeUnfit(
            f"The state folder {home} cannot be used ({error.strerror}). "
            "Set GLASSHULL_HOME to a folder with room that you own."
        ) from error


def give_to(owner: Owner, path: Path) -> None:
    """Root puts a backup back as its own; the web server could not write into it. Only plain files with one
    name: a link could lead to somebody else's."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:  # not there, or a link
        return
    try:
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
            os.fchown(descriptor, owner.uid, owner.gid)
    finally:
        os.close(descriptor)
