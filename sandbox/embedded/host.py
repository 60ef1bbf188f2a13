"""What clusters change about the machine as a whole, and who holds which instance.

Kept in /run/glasshull, apart from every home: the FIRST cluster saves how the machine was, the LAST
one restores it, and two homes cannot both run instance 1.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sandbox.embedded.commands import try_run
from sandbox.embedded.errors import HostUnfit
from sandbox.embedded.layout import Layout
from sandbox.embedded.mounts import is_mounted
from sandbox.embedded.pki import write_private
from sandbox.embedded.processes import marked_pids

CLAIMS = Path("/run/glasshull")
HARD_CODED = ("/run/containerd", "/var/lib/kubelet", "/var/lib/cni", "/var/log/containers")
_NETNS = Path("/run/netns")
_INOTIFY = "fs/inotify/max_user_instances"
# A node takes about 12 of them, and the default of 128 is for everything root runs.
_INOTIFY_INSTANCES = 1024

SYSCTLS = (
    "net/ipv4/ip_forward",
    _INOTIFY,
    # kubelet sets these machine-wide.
    "vm/overcommit_memory",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)


def read_boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@contextlib.contextmanager
def _locked(claims: Path) -> Iterator[None]:
    claims.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(claims, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _read(path: Path) -> dict[str, Any] | None:
    """None when missing, damaged, or from before the last boot."""
    try:
        document = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(document, dict) or document.get("boot") != read_boot_id():
        return None
    return document


def _claim_file(claims: Path, instance: int) -> Path:
    return claims / f"instance-{instance}.json"


def read_holder(instance: int, claims: Path = CLAIMS) -> tuple[Path, str] | None:
    """(state folder, cluster id) of who holds the instance since this boot."""
    claim = _read(_claim_file(claims, instance))
    return (Path(claim["state"]), str(claim["id"])) if claim else None


def held_by_another(layout: Layout, claims: Path = CLAIMS) -> Path | None:
    """The other home's state folder, when that cluster still has processes."""
    holder = read_holder(layout.plan.instance, claims)
    if holder is None or holder[1] == layout.id:
        return None
    return holder[0] if marked_pids(holder[1]) else None


def must_be_free(layout: Layout, claims: Path = CLAIMS) -> None:
    """Raises HostUnfit when another home runs the same instance."""
    other = held_by_another(layout, claims)
    if other is not None:
        raise HostUnfit(
            f"Cluster {layout.plan.instance} of this machine already runs from {other}.",
            f"Stop that one first: GLASSHULL_HOME={other.parent} make down",
        )


def claim(layout: Layout, claims: Path = CLAIMS) -> None:
    """Take the instance, and as the first save how the machine was. Idempotent.

    Raises HostUnfit when another home runs the same instance.
    """
    with _locked(claims):
        must_be_free(layout, claims)
        if _read(claims / "before.json") is None:
            write_private(claims / "before.json", json.dumps(_how_it_was()).encode())
        mine = {"boot": read_boot_id(), "state": str(layout.state.resolve()), "id": layout.id}
        write_private(_claim_file(claims, layout.plan.instance), json.dumps(mine).encode())


def _how_it_was() -> dict[str, Any]:
    sysctls = {}
    for name in SYSCTLS:
        with contextlib.suppress(FileNotFoundError):
            sysctls[name] = Path("/proc/sys", name).read_text().strip()
    return {
        "boot": read_boot_id(),
        "sysctls": sysctls,
        "missing": [folder for folder in HARD_CODED if not Path(folder).exists()],
        "netns_mounted": is_mounted(_NETNS),
        "netns_existed": _NETNS.exists(),
    }


def ensure_settings() -> None:
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    inotify = Path("/proc/sys", _INOTIFY)
    if int(inotify.read_text()) < _INOTIFY_INSTANCES:
        inotify.write_text(str(_INOTIFY_INSTANCES))


def release(layout: Layout, claims: Path = CLAIMS) -> list[str]:
    """Give the instance back; the last one restores the machine. Gives what it could not restore."""
    if not claims.exists():
        return []
    with _locked(claims):
        _claim_file(claims, layout.plan.instance).unlink(missing_ok=True)
        if any(_read(other) for other in claims.glob("instance-*.json")):
            return []
        before = _read(claims / "before.json")
        left = _restore(before) if before else []
        for file in claims.iterdir():
            file.unlink()
        claims.rmdir()
    return left


def _restore(before: dict[str, Any]) -> list[str]:
    left = []
    for name, value in before["sysctls"].items():
        try:
            Path("/proc/sys", name).write_text(value)
        except OSError as error:
            left.append(f"setting {name.replace('/', '.')} ({error.strerror})")
    for folder in before["missing"]:
        # Somebody else may have put something there meanwhile: then it stays.
        with contextlib.suppress(OSError):
            Path(folder).rmdir()
    if not before["netns_mounted"] and _NETNS.exists() and not any(_NETNS.iterdir()):
        if is_mounted(_NETNS):
            try_run(["umount", "-l", _NETNS])
        if not before["netns_existed"]:
            with contextlib.suppress(OSError):
                _NETNS.rmdir()
    return left
