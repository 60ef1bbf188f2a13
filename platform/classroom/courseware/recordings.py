"""A recorded lesson: a stored record folded into the same frames that the live socket sends."""

from __future__ import annotations

import functools
import gzip
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from classroom.access import Anyone, allow
from classroom.courseware.catalogue import NoSuchLesson, catalogue
from classroom.courseware.reading import recording_of
from classroom.live.frames import delta_frame, encode
from classroom.refusals import no_such
from sandbox.record.entry import Entry

MAX_RECORDING_BYTES = 64 * 2**20  # unpacked; a lesson's run is about 2 MiB


@allow(Anyone())
@require_GET
async def recording(request: HttpRequest, course: str, lesson: str) -> HttpResponse:
    """`docs/live-protocol.md` section 3. 404 when the lesson has none."""
    try:
        found = await sync_to_async(catalogue.lesson)(course, lesson)
    except NoSuchLesson:
        raise no_such("lesson") from None
    path = recording_of(found)
    if path is None:
        raise no_such("recording of this lesson")
    body = await sync_to_async(_history_of_file)(path, path.stat().st_mtime_ns)
    response = HttpResponse(body, content_type="application/json")
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = "no-cache"
    return response


@functools.lru_cache(maxsize=16)
def _history_of_file(path: Path, stamp: int) -> bytes:
    """Compressed JSON. `stamp` (the file's change time) is part of the key, so a new recording is seen."""
    history = history_of(read_entries(path), label=label_of(path))
    return gzip.compress(encode(history), compresslevel=6, mtime=0)


def read_entries(path: Path) -> Iterator[Entry]:
    """The record in a `.jsonl.gz` file; lines that are no entries (a header) are passed over."""
    decoder = msgspec.json.Decoder(Entry)
    left = MAX_RECORDING_BYTES
    with gzip.open(path) as file:
        for line in file:
            left -= len(line)
            if left < 0:
                raise ValueError(f"{path.name} unpacks to more than {MAX_RECORDING_BYTES} bytes")
            if line.startswith(b'{"recording"') or not line.strip():
                continue
            yield decoder.decode(line)


def label_of(path: Path) -> str:
    """For the badge, such as "a real run, 24 November 2026"; the day comes from the recording's first line."""
    with gzip.open(path) as file:
        head = file.readline(100_000)
    try:
        made = datetime.fromtimestamp(float(msgspec.json.decode(head)["made"]), UTC)
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, OverflowError):
        return "a real run"
    return f"a real run, {made.day} {made:%B %Y}"


def history_of(entries: Iterable[Entry], *, label: str, after: int = 0) -> dict[str, Any]:
    """`{epoch, start, frames, seconds, label}`: the picture at `after`, then one delta per later entry."""
    from sandbox.record.picture import Picture

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
            frames.append(delta_frame(delta))
    start = start or picture.snapshot()
    return {
        "epoch": start["epoch"],
        "start": start,
        "frames": frames,
        "seconds": round(last - first, 3),
        "label": label,
    }
