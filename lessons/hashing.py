"""Hashes of a lesson: what was taught (content) and what was graded by (rubric). Format, section 4.12."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable
from pathlib import Path

_TEXT = frozenset({".md", ".yaml", ".yml", ".steps", ".svg", ".txt"})
_RUBRIC = ("exercise.yaml", "exercises/", "start", "solution", "wrong/")


def content_hash(folder: Path) -> str:
    """SHA-256 in hex over all files but the recordings: sorted paths, LF, NFC."""
    return _hash(folder, lambda name: not name.startswith("recordings/"))


def rubric_hash(folder: Path) -> str:
    """SHA-256 in hex over exercise, start, solution and wrong only: text edits leave it alone."""
    return _hash(folder, lambda name: name.startswith(_RUBRIC))


def _hash(folder: Path, counts: Callable[[str], bool]) -> str:
    digest = hashlib.sha256()
    for name, path in sorted(lesson_files(folder)):
        if counts(name):
            digest.update(f"{unicodedata.normalize('NFC', name)}\0".encode())
            digest.update(hashlib.sha256(_normalised(path)).digest())
    return digest.hexdigest()


def lesson_files(folder: Path) -> list[tuple[str, Path]]:
    """(path within the folder, path) of every file; hidden files, links and editors' copies left out."""
    return [
        (path.relative_to(folder).as_posix(), path)
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and not _is_clutter(path.relative_to(folder))
    ]


def _is_clutter(path: Path) -> bool:
    return any(part.startswith(".") or part.endswith("~") for part in path.parts)


def _normalised(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix not in _TEXT:
        return data
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return data
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n")).encode()
