"""Recordings: the record of a real run beside its lesson, read whole or refused by name.

`recordings/<tier>/<way>.jsonl.gz`: gzipped JSON lines. The first is a header that names the lesson, its rubric, the
way, the values and the verdicts, with the SHA-256 of itself and of all that follows; then one record entry a line.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from lessons.models import Lesson
from sandbox.record.entry import Entry
from sandbox.record.picture import Picture

if TYPE_CHECKING:  # the engine takes half a second to import, and pages only read
    from sandbox.record.marking import Result

FORMAT = 2
TIER = "namespace"
SUFFIX = ".jsonl.gz"
MOST_BYTES = 64 * 2**20  # unpacked; a lesson's run is about 2 MiB
AGAIN = "make it again: glasshull lesson record"


class RecordingInvalid(Exception):
    """The file cannot be played as what it says it is; the text names it and the way to a right one."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One stored run. `verdicts`: check id -> outcome as the run ended; empty in recordings made before they
    were kept. `images`: image name -> what a Pod's `imageID` showed for it."""

    path: Path
    way: str
    params: Mapping[str, Any]
    tier: str
    made: float
    points: float | None
    of: float | None
    verdicts: Mapping[str, str]
    images: Mapping[str, str]
    entries: Sequence[Entry]

    @property
    def label(self) -> str:
        """For the badge, such as "a real run, 24 November 2026"."""
        return label_for(self.made)


def label_for(made: float) -> str:
    try:
        day = datetime.fromtimestamp(made, UTC)
    except (ValueError, OverflowError, OSError):
        return "a real run"
    return f"a real run, {day.day} {day:%B %Y}" if made else "a real run"


def encode(
    lesson: Lesson,
    entries: Sequence[Entry],
    *,
    way: str,
    params: Mapping[str, Any],
    result: Result,
    images: Mapping[str, str],
    kubernetes: str,
) -> bytes:
    """The file's bytes; the same run gives the same ones."""
    body = b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
    header: dict[str, Any] = {
        "recording": FORMAT,
        "lesson": lesson.slug,
        "content_hash": lesson.content_hash,
        "rubric_hash": lesson.rubric_hash,
        "way": way,
        "params": dict(params),
        "tier": TIER,
        "kubernetes": kubernetes,
        "points": result.points,
        "of": result.of,
        "verdicts": {verdict.check: verdict.outcome for verdict in result.verdicts},
        "images": dict(images),
        "made": entries[0].at if entries else 0,
    }
    header["sha256"] = _sum(header, body)
    return gzip.compress(msgspec.json.encode(header) + b"\n" + body, compresslevel=9, mtime=0)


def recordings_of(folder: Path, tier: str = TIER) -> list[Path]:
    """Files of a lesson's folder, the run of the solution first."""
    found = (folder / "recordings" / tier).glob(f"*{SUFFIX}")
    return sorted(found, key=lambda path: (not path.name.startswith("solution"), path.name))


def path_for(folder: Path, way: str, tier: str = TIER) -> Path:
    return folder / "recordings" / tier / f"{way}{SUFFIX}"


def shown_recording(lesson: Lesson) -> Path | None:
    """The run a page plays: the solution's or another right one, never a wrong way's.

    When every one of them is refused it is the first: whoever asks for it is told why.
    """
    wrong = {way.name for ways in lesson.ways.values() for way in ways if way.kind == "wrong"}
    found = [path for path in recordings_of(lesson.path) if path.name.removesuffix(SUFFIX) not in wrong]
    playable = (path for path in found if not refusal_of(path, lesson))
    return next(playable, found[0] if found else None)


def read_recording(path: Path, lesson: Lesson) -> Recording:
    """Raises RecordingInvalid for a file that is none, was edited, or is of another lesson or rubric."""
    header, body = _vouched_for(path, lesson.slug, lesson.rubric_hash)
    decoder = msgspec.json.Decoder(Entry)
    try:
        return Recording(
            path=path,
            way=str(header["way"]),
            params=dict(header["params"]),
            tier=str(header["tier"]),
            made=float(header["made"]),
            points=header["points"],
            of=header["of"],
            verdicts=dict(header.get("verdicts") or {}),
            images=dict(header.get("images") or {}),
            entries=tuple(decoder.decode(line) for line in body.splitlines() if line),
        )
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
        raise RecordingInvalid(f"{path.name} is of another format ({error}); {AGAIN}") from error


def refusal_of(path: Path, lesson: Lesson) -> str:
    """Why it is not played, or an empty string. Looks into the file only when it or the rubric has changed."""
    return _refusal(path, path.stat().st_mtime_ns, lesson.slug, lesson.rubric_hash)


@functools.lru_cache(maxsize=256)
def _refusal(path: Path, _stamp: int, slug: str, rubric: str) -> str:
    try:
        _vouched_for(path, slug, rubric)
    except RecordingInvalid as invalid:
        return str(invalid)
    return ""


def _vouched_for(path: Path, slug: str, rubric: str) -> tuple[dict[str, Any], bytes]:
    """Header and body. Raises RecordingInvalid."""
    header, body = _split(path)
    if header.get("recording") != FORMAT:
        raise RecordingInvalid(f"{path.name} is of another format, not {FORMAT}; {AGAIN}")
    if header.get("lesson") != slug:
        raise RecordingInvalid(
            f"{path.name} is a recording of {header.get('lesson')}, not of {slug}; {AGAIN}"
        )
    if header.get("rubric_hash") != rubric:
        raise RecordingInvalid(f"{path.name} was made of another version of {slug}; {AGAIN}")
    if header.get("sha256") != _sum(header, body):
        raise RecordingInvalid(f"{path.name} was edited by hand; {AGAIN}")
    return header, body


def _sum(header: Mapping[str, Any], body: bytes) -> str:
    """Over what the header says, too: verdicts and values are as much of the run as its entries."""
    said = {key: value for key, value in header.items() if key != "sha256"}
    return hashlib.sha256(msgspec.json.encode(said) + b"\n" + body).hexdigest()


def _split(path: Path) -> tuple[dict[str, Any], bytes]:
    try:
        with gzip.open(path) as file:
            unpacked = file.read(MOST_BYTES + 1)
        if len(unpacked) > MOST_BYTES:
            raise RecordingInvalid(f"{path.name} unpacks to more than {MOST_BYTES} bytes; {AGAIN}")
        head, _, body = unpacked.partition(b"\n")
        return msgspec.json.decode(head, type=dict[str, Any]), body
    except (OSError, EOFError, zlib.error, msgspec.MsgspecError) as error:
        raise RecordingInvalid(f"{path.name} is no recording ({error}); {AGAIN}") from error


def history_of(
    entries: Iterable[Entry], *, label: str, after: int = 0, simulated: bool = False
) -> dict[str, Any]:
    """`{epoch, start, frames, seconds, label, simulated}`: the picture at `after`, then one delta per later entry.

    The frames are those of the live socket (docs/live-protocol.md, section 3).
    """
    picture = Picture()
    start: dict[str, Any] | None = None
    frames: list[dict[str, Any]] = []
    first = last = 0.0
    for entry in entries:
        if entry.seq > after and start is None:
            first = entry.at
            start = {**picture.snapshot(), "epoch": entry.epoch, "seq": entry.seq - 1, "at": first}
        delta = picture.feed(entry)
        if start is not None and delta is not None:
            last = entry.at
            frames.append(delta.frame())
    start = start or picture.snapshot()
    return {
        "epoch": start["epoch"],
        "start": start,
        "frames": frames,
        "seconds": round(last - first, 3),
        "label": label,
        "simulated": simulated,
    }
