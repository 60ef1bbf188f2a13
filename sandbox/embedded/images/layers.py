"""Layers: tar archives whose bytes depend on nothing but their content.

Sorted entries, one fixed time, no owner names, plain modes. Layers stay uncompressed: their digest then
does not depend on a zlib version, and nodes import them without inflating.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

CHUNK = 1 << 20
TIME = 0  # seconds since 1970, of every entry


@dataclass(frozen=True)
class File:
    """A regular file at `path` (relative to the root, no leading slash)."""

    path: str
    source: bytes | Path
    mode: int = 0o644


@dataclass(frozen=True)
class Link:
    """A symbolic link; `target` is written as it stands."""

    path: str
    target: str


@dataclass(frozen=True)
class Folder:
    """A folder; parents of other entries are added without being named. `owner` is uid and gid."""

    path: str
    mode: int = 0o755
    owner: int = 0


Entry = File | Link | Folder


@dataclass(frozen=True)
class Layer:
    """A written layer. `digest` is `sha256:…` of the tar, which is also its diff id; `size` in bytes."""

    file: Path
    digest: str
    size: int


def write_layer(entries: Iterable[Entry], file: Path) -> Layer:
    """Write the entries as one layer. Raises ValueError when two entries claim one path."""
    with file.open("wb") as raw, tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in in_order(entries):
            _add(archive, entry)
    return read_layer(file)


def read_layer(file: Path) -> Layer:
    """The layer that lies in `file`."""
    with file.open("rb") as raw:
        digest = hashlib.file_digest(raw, "sha256").hexdigest()
    return Layer(file, f"sha256:{digest}", file.stat().st_size)


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Entries and their missing parent folders, parents first. Raises ValueError for a path named twice."""
    known: dict[str, Entry] = {}
    for entry in entries:
        if entry.path in known:
            raise ValueError(f"two entries of a layer claim {entry.path!r}")
        known[entry.path] = entry
    for path in list(known):
        for parent in PurePosixPath(path).parents:
            if str(parent) != ".":
                known.setdefault(str(parent), Folder(str(parent)))
    return [known[path] for path in sorted(known, key=lambda path: path.split("/"))]


def entries_of(folder: Path) -> Iterator[Entry]:
    """What lies under `folder`. Devices, sockets and pipes are left out: the runtime makes its own."""
    for here, folders, files in os.walk(folder):
        for name in folders + files:
            path = Path(here, name)
            relative, mode = path.relative_to(folder).as_posix(), path.lstat().st_mode
            if stat.S_ISLNK(mode):
                yield Link(relative, str(path.readlink()))
            elif stat.S_ISDIR(mode):
                yield Folder(relative, stat.S_IMODE(mode) & 0o1777)
            elif stat.S_ISREG(mode):
                # No set-uid bits: under `restricted` they do nothing, elsewhere nothing good.
                yield File(relative, path, stat.S_IMODE(mode) & 0o777)


def read_member(layer: Path, path: str) -> bytes:
    """The content of one regular file of a layer. Raises KeyError when it is not there."""
    with tarfile.open(layer, mode="r:") as archive:
        content = archive.extractfile(path)
        if content is None:
            raise KeyError(path)
        return content.read()


def _add(archive: tarfile.TarFile, entry: Entry) -> None:
    member = tarfile.TarInfo(entry.path)
    member.mtime = TIME
    if isinstance(entry, Folder):
        member.type, member.mode = tarfile.DIRTYPE, entry.mode
        member.uid = member.gid = entry.owner
        archive.addfile(member)
    elif isinstance(entry, Link):
        member.type, member.mode, member.linkname = tarfile.SYMTYPE, 0o777, entry.target
        archive.addfile(member)
    else:
        member.mode = entry.mode
        if isinstance(entry.source, bytes):
            member.size = len(entry.source)
            archive.addfile(member, io.BytesIO(entry.source))
        else:
            with entry.source.open("rb") as content:
                member.size = os.fstat(content.fileno()).st_size
                archive.addfile(member, content)
