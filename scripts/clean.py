"""`make clean`: delete what was built. Asks before it deletes the state folder (people, records, marks)."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILT = [
    ".venv",
    ".tools",
    "frontend/node_modules",
    "platform/classroom/static/dist",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
]


def main() -> None:
    for name in BUILT:
        shutil.rmtree(ROOT / name, ignore_errors=True)
    home = Path(os.environ.get("GLASSHULL_HOME", Path.home() / ".local/share/glasshull"))
    if not home.exists():
        return
    if not sys.stdin.isatty():
        print(f"Kept: {home} (people, records, marks, the built cluster). Delete it by hand if you mean to.")
        return
    answer = input(f"Delete {home} too, with everybody's records and marks? Type yes: ")
    if answer.strip() == "yes":
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
