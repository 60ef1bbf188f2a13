"""Reading a lesson's files: text, inside the folder, of a sane size."""

from __future__ import annotations

from pathlib import Path

from lessons.problems import LessonInvalid, Problem
from lessons.yaml_source import MOST_BYTES


def read_text(path: Path, shown_as: str) -> str:
    """UTF-8 with LF line ends. Raises LessonInvalid (L001 not there, L006 too large or not text)."""
    if path.is_symlink():
        raise LessonInvalid(
            [Problem(shown_as, 1, 1, "L006", "links are not allowed: a lesson is complete in its folder")]
        )
    try:
        if path.stat().st_size > MOST_BYTES:
            raise LessonInvalid(
                [Problem(shown_as, 1, 1, "L006", f"a file holds at most {MOST_BYTES // 1024} KiB")]
            )
        return path.read_bytes().decode("utf-8").replace("\r\n", "\n").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        message = f"byte {error.start + 1} is not UTF-8 text"
        raise LessonInvalid([Problem(shown_as, 1, 1, "L006", message, "save the file as UTF-8")]) from None
    except OSError as error:
        message = (
            "file is missing" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        )
        raise LessonInvalid([Problem(shown_as, 1, 1, "L001", message)]) from None
