"""The machine's own tools that images need: gcc, go, mmdebstrap and apt's knowledge of versions."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.embedded.images.errors import ImageBuildFailed

# What the Python base layer is made of; apt adds what these need.
BASE_PACKAGES = ("python3-minimal", "libpython3.11-stdlib", "busybox-static")
SUITE = "bookworm"

_PACKAGE_OF = {"gcc": "gcc libc6-dev", "mmdebstrap": "mmdebstrap", "apt-cache": "apt"}
_LAST_WORDS = 600  # characters of a failed tool's last output


def run(
    argv: Sequence[str],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    limit: float,
) -> str:
    """The tool's standard output. Raises ImageBuildFailed; `limit` is in seconds."""
    try:
        done = subprocess.run(
            argv,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C", **(environment or {})},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit,
            check=False,
        )
    except FileNotFoundError:
        raise ImageBuildFailed(f"{argv[0]} is not installed; {_how_to_get(argv[0])}.") from None
    except subprocess.TimeoutExpired:
        raise ImageBuildFailed(
            f"{argv[0]} took longer than {limit:.0f} s; is the network slow? Try again."
        ) from None
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-_LAST_WORDS:]
        raise ImageBuildFailed(f"{argv[0]} failed (code {done.returncode}): {said}")
    return done.stdout


def compile_c(source: Path, output: Path) -> None:
    """A static, stripped program; its bytes do not depend on where the source lies."""
    options = [
        "-Os",
        "-static",
        "-s",
        "-Wall",
        "-Werror",
        "-Wl,--build-id=none",
        f"-ffile-prefix-map={source.parent}=.",
    ]
    run(["gcc", *options, "-o", str(output), str(source)], limit=60)


def compile_go(module: Path, package: str, output: Path) -> None:
    """A static Go program from one package of a module without dependencies."""
    environment = {"CGO_ENABLED": "0", "GOFLAGS": "", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    options = ["-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid="]
    run(
        ["go", "build", *options, "-o", str(output), f"./{package}"],
        folder=module,
        environment=environment,
        limit=300,
    )


def compiler_versions() -> str:
    """What decides the bytes of compiled programs, beside their sources."""
    versions = [
        run(["gcc", "-dumpfullversion"], limit=10),
        run(["go", "env", "GOVERSION", "GOARCH"], limit=30),
    ]
    return " ".join(" ".join(versions).split())


def package_versions() -> str:
    """Versions apt would take for the base layer; empty on a machine without apt's lists.

    The closure of the named packages is not computed: a new version of one of its members alone is taken
    over with the next new version of these, or after `clean`.
    """
    if shutil.which("apt-cache") is None:
        return ""
    names = (*BASE_PACKAGES, "python3.11-minimal", "libc6")
    lines = run(["apt-cache", "policy", *names], limit=60).splitlines()
    return " ".join(line.split()[-1] for line in lines if line.strip().startswith("Candidate:"))


def make_base(folder: Path) -> None:
    """Unpack the base packages and what they need into `folder`, by this machine's own package sources."""
    with tempfile.TemporaryDirectory(prefix="glasshull-base-") as scratch:
        # The folder under /tmp must be enterable for apt's unprivileged downloader.
        Path(scratch).chmod(0o755)
        run(
            [
                "mmdebstrap",
                "--quiet",
                "--variant=extract",
                "--format=directory",
                f"--include={','.join(BASE_PACKAGES)}",
                SUITE,
                f"{scratch}/root",
                *map(str, package_sources()),
            ],
            environment={"TMPDIR": scratch},
            limit=600,
        )
        shutil.move(f"{scratch}/root", folder)


def package_sources() -> list[Path]:
    """The machine's Debian package sources. Raises ImageBuildFailed when there are none."""
    places = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*.sources"))]
    found = [place for place in places if place.is_file() and SUITE in place.read_text(errors="replace")]
    if not found:
        raise ImageBuildFailed(
            f"/etc/apt names no source of Debian {SUITE} packages, of which images are made; add one."
        )
    return found


def _how_to_get(tool: str) -> str:
    if tool == "go":
        return "Go 1.26 comes with the set-up (`make up`)"
    return f"install it with: apt-get install {_PACKAGE_OF.get(tool, tool)}"
