"""The layer all Python apps share: Debian's interpreter, its standard library and a static shell."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

from sandbox.embedded.images import tools
from sandbox.embedded.images.errors import ImageBuildFailed
from sandbox.embedded.images.layers import Entry, Folder, Layer, Link, entries_of, read_layer, write_layer

# Documentation but licences, package state, translations, and what only other programs use.
LEFT_OUT = (
    "boot/*", "dev/*", "proc/*", "sys/*", "run/*", "tmp/*", "etc/apt/*", "etc/dpkg/*",
    "var/cache/*", "var/lib/*", "var/log/*", "usr/share/man/*", "usr/share/info/*", "usr/share/locale/*",
    "usr/share/lintian/*", "usr/share/bug/*", "usr/share/initramfs-tools/*", "usr/share/polkit-1/*",
    "usr/share/dpkg/*", "usr/bin/dpkg*", "usr/lib/dpkg/*", "usr/libexec/dpkg/*", "usr/lib/*/gconv/*",
    "usr/lib/python3.11/pydoc_data/*",
)  # fmt: skip

# So that `kubectl exec -it storefront -- sh` finds what people type there.
SHELL_WORDS = (
    "sh", "cat", "cp", "date", "df", "du", "echo", "env", "find", "free", "grep", "head", "hostname", "id",
    "kill", "ls", "mkdir", "more", "mount", "mv", "netstat", "printenv", "ps", "pwd", "rm", "sed", "sleep",
    "sort", "tail", "top", "touch", "uname", "vi", "wc", "which", "whoami",
)  # fmt: skip


def keep(path: str) -> bool:
    """Whether a file of the unpacked packages belongs into the layer."""
    if path.startswith("usr/share/doc/"):
        return path.count("/") == 3 or path.endswith("/copyright")
    return not any(fnmatch(path, pattern) for pattern in LEFT_OUT)


def trimmed(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The wanted entries; folders only where something lies in them, but for the usual empty ones."""
    for entry in entries:
        if not isinstance(entry, Folder) and keep(entry.path):
            yield entry
    yield from (Link(f"bin/{word}", "busybox") for word in SHELL_WORDS)
    yield from (
        Folder("tmp", 0o1777),
        Folder("proc"),
        Folder("sys"),
        Folder("dev"),
        Folder("run"),
        Folder("app"),
    )


def ensure_base(store: Path) -> Layer:
    """The base layer, made once per recipe and package versions and kept in `store`.

    Without a network an older layer of the same recipe is taken. Raises ImageBuildFailed when there is none.
    """
    recipe = _hash(repr((tools.BASE_PACKAGES, tools.SUITE)), Path(__file__).read_text())
    file = store / f"base-{recipe}-{_hash(tools.package_versions())}.tar"
    if not file.exists():
        older = sorted(store.glob(f"base-{recipe}-*.tar"), key=lambda path: path.stat().st_mtime)
        try:
            _make(file)
        except ImageBuildFailed:
            if not older:
                raise
            return read_layer(older[-1])
        for stale in store.glob("base-*.tar"):
            if stale != file:
                stale.unlink()
    return read_layer(file)


def _make(file: Path) -> None:
    root, partial = file.with_suffix(".root"), file.with_suffix(".partial")
    shutil.rmtree(root, ignore_errors=True)
    try:
        tools.make_base(root)
        write_layer(trimmed(entries_of(root)), partial)
        partial.replace(file)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]
