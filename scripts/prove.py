"""`make prove`: all open lessons on the real cluster. Uses the running product, or starts one of its own and ends it.

Writes docs/course-proof.md; the last line is `N passed, M failed`. With --record the runs of the solution and of each
wrong way are kept as recordings, too.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]

from authoring.proving import page, prove_course, total  # noqa: E402
from authoring.staging import NoCluster, state_folder  # noqa: E402
from bench.product import ProductFailed, make_home, start, stop, wait_until_ready  # noqa: E402
from lessons.problems import LessonInvalid  # noqa: E402

COURSE = ROOT / "lessons/how-clusters-work"
PAGE = ROOT / "docs/course-proof.md"
PORT = 8395


def is_ready(home: Path) -> bool:
    try:
        return json.loads((home / "shared/cluster.json").read_text())["state"] == "ready"
    except (OSError, ValueError, KeyError):
        return False


@contextmanager
def a_cluster() -> Iterator[Path]:
    """The state folder of a product whose cluster is ready. Raises ProductFailed, NoCluster."""
    home = state_folder()
    if is_ready(home):
        print(f"Proving on the cluster of {home}.", flush=True)
        yield home
        return
    if os.geteuid() != 0:
        raise NoCluster(
            "No cluster runs, and starting one needs root: run `make up` first, or `sudo make prove`."
        )
    print("No cluster runs: starting one for the proof.", flush=True)
    product = start(make_home(), PORT)
    try:
        wait_until_ready(product)
        yield product.home
    finally:
        stop(product)


def main(record: bool) -> int:
    began = time.monotonic()
    try:
        with a_cluster() as home:
            reports, version = asyncio.run(
                prove_course(COURSE, home, lambda line: print(line, flush=True), record=record)
            )
    except LessonInvalid as invalid:
        print("\n".join(str(problem) for problem in invalid.problems))
        print(f"0 passed, {len(invalid.problems)} failed")
        return 1
    except (NoCluster, ProductFailed) as reason:
        print(reason, file=sys.stderr)
        return 3
    seconds = time.monotonic() - began
    PAGE.write_text(page(reports, seconds, version, time.time()), encoding="utf-8")
    for report in reports:
        for proof in report.proofs:
            for note in proof.notes:
                print(f"{report.lesson.slug}  {proof.code} {note}")
    print(f"{PAGE.relative_to(ROOT)} is written, after {seconds:.0f} s.")
    print(total(reports))
    return 1 if any(report.failed for report in reports) else 0


if __name__ == "__main__":
    sys.exit(main("--record" in sys.argv))
