"""The state folder: where it is, what lies in it, who may enter."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from classroom.settings.secrets import ensure_secret_key

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
    """Make the state folder (0700) and the web processes' part of it. Raises HomeUnfit."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        home.chmod(0o700)
        for name, mode in (("", 0o750), ("kube", 0o750), ("audit", 0o750), ("broker", 0o700), ("log", 0o700)):
            folder = home / "web" / name
            folder.mkdir(exist_ok=True, mode=mode)
            folder.chmod(mode)
            belongs_to_root = name in ("kube", "audit") and os.geteuid() == 0
            os.chown(folder, 0 if belongs_to_root else owner.uid, owner.gid)
        key = home / "web/secret_key"
        ensure_secret_key(key)
        # Root puts a backup back as its own; the web server could not write into it.
        for file in [key, *(home / "web").glob("*.sqlite3*")]:
            os.chown(file, owner.uid, owner.gid)
    except OSError as error:
        raise HomeUnfit(
            f"The state folder {home} cannot be used ({error.strerror}). "
            "Set GLASSHULL_HOME to a folder with room that you own."
        ) from error
