"""`glasshull lesson schema`: JSON Schemas for editors, one file each."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from lessons.json_schema import schemas


def command(out: Path) -> int:
    """Write `<name>.schema.json` into the folder; 2 when it cannot be written to."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, schema in schemas().items():
            path = out / f"{name}.schema.json"
            path.write_text(json.dumps(schema, indent=1, sort_keys=True) + "\n", encoding="utf-8")
            print(path)
    except OSError as error:
        print(f"{out} cannot be written to: {error.strerror or error}", file=sys.stderr)
        return 2
    return 0
