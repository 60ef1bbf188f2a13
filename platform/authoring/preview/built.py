"""The built front end, as Vite's manifest lists it: addresses for a page of the preview."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DIST = Path(__file__).resolve().parents[2] / "classroom/static/dist"
ENTRY = "src/main.ts"


class Built:
    """Empty addresses while nothing is built. Read anew each time, so that a new build is seen."""

    def __init__(self, folder: Path = DIST) -> None:
        self.folder = folder

    @property
    def styles(self) -> list[str]:
        manifest = self._manifest()
        names = [name for key in _needed(manifest) for name in manifest[key].get("css", [])]
        return [f"/static/dist/{name}" for name in dict.fromkeys(names)]

    @property
    def script(self) -> str:
        entry = self._manifest().get(ENTRY)
        return f"/static/dist/{entry['file']}" if entry else ""

    def _manifest(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found


def _needed(manifest: dict[str, Any]) -> Iterator[str]:
    """What the entry imports at once, before the entry itself."""
    waiting, seen = [ENTRY], []
    while waiting:
        key = waiting.pop(0)
        if key in manifest and key not in seen:
            seen.append(key)
            waiting += manifest[key].get("imports", [])
    yield from reversed(seen)
