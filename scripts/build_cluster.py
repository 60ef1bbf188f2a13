"""Build what the cluster tests run on, with visible progress, where `make up` keeps it too."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]

from bench.product import built_home  # noqa: E402
from classroom.operating.debian import ensure_packages  # noqa: E402
from sandbox.embedded.building import ensure_binary  # noqa: E402
from sandbox.embedded.errors import EmbeddedError  # noqa: E402
from sandbox.embedded.images import ensure_images  # noqa: E402
from sandbox.embedded.images.shop import APPS  # noqa: E402
from sandbox.embedded.images.weighing import table, weigh  # noqa: E402
from sandbox.embedded.packages import CLUSTER_PACKAGES  # noqa: E402
from sandbox.embedded.progress import Progress  # noqa: E402


class Printer:
    """A line whenever the phase changes, else every half minute."""

    def __init__(self) -> None:
        self.said, self.at = "", 0.0

    def __call__(self, step: Progress) -> None:
        if step.text == self.said and time.monotonic() - self.at < 30:
            return
        self.said, self.at = step.text, time.monotonic()
        count = f" ({step.done} of {step.total})" if step.total else ""
        left = f", about {step.seconds_left:.0f} s left" if step.seconds_left else ""
        print(f"  {step.text}{count}{left}", flush=True)


def main() -> int:
    home = built_home()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    os.environ["PATH"] = f"{ROOT / '.tools/bin'}:{os.environ['PATH']}"
    try:
        ensure_packages(CLUSTER_PACKAGES)
        binary = ensure_binary(home, Printer())
        ensure_images(home, Printer(), kubectl=binary)
        weights = list(weigh(home / "images", APPS))
    except EmbeddedError as error:
        print(
            f"The cluster could not be built. {error} {getattr(error, 'remedy', '') or ''}", file=sys.stderr
        )
        return 1
    print(table(weights))
    return 0 if all(weight.fits for weight in weights) else 1


if __name__ == "__main__":
    sys.exit(main())
