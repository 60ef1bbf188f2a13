"""Debian packages, installed when first needed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

from sandbox.embedded.errors import EmbeddedError


def missing_packages(names: Sequence[str]) -> list[str]:
    def present(name: str) -> bool:
        query = ["dpkg-query", "-W", "-f=${Status}", name]
        return subprocess.run(query, capture_output=True, text=True, check=False).stdout.endswith(
            "ok installed"
        )

    return [name for name in names if not present(name)]


def ensure_packages(names: Sequence[str]) -> None:
    """Raises EmbeddedError naming the packages and apt's own last words."""
    if not shutil.which("dpkg-query"):
        raise EmbeddedError(
            f"This is not a Debian system; the cluster needs the packages {', '.join(names)}."
        )
    missing = missing_packages(names)
    if not missing:
        return
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing],
    ):
        result = subprocess.run(
            command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if result.returncode:
            last = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise EmbeddedError(f"The Debian packages {' '.join(missing)} could not be installed: {last}")
