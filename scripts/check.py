"""`make check` (fast) and `make test` (--all): the tools two at a time, pytest last so that its line closes the run.

With CI set, a tier that is left out is a failure; without it, what was left out is said.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv/bin"
AT_ONCE = 2
FAST = "not cluster and not browser and not faults"


def steps() -> list[tuple[str, list[str], Path]]:
    npm = ["npm", "run", "--silent"]
    frontend = ROOT / "frontend"
    return [
        ("format", [str(BIN / "ruff"), "format", "--check", "-q", "."], ROOT),
        ("lint", [str(BIN / "ruff"), "check", "-q", "."], ROOT),
        ("imports", [str(BIN / "lint-imports"), "--no-cache"], ROOT),
        ("types", [str(BIN / "mypy")], ROOT),
        ("lessons", [str(ROOT / "glasshull"), "lesson", "lint", "lessons/how-clusters-work"], ROOT),
        ("page types", [*npm, "check"], frontend),
        ("page lint", [*npm, "lint"], frontend),
        ("page tests", [*npm, "test"], frontend),
        ("page size", [*npm, "size"], frontend),
    ]


def path_with_node() -> str:
    """PATH, with the project's own Node before it when set-up had to bring one."""
    own = ROOT / ".tools/bin"
    return f"{own}:{os.environ['PATH']}" if (own / "npm").exists() else os.environ["PATH"]


def run_step(name: str, command: list[str], cwd: Path) -> bool:
    started = time.monotonic()
    env = {**os.environ, "PYTHONPATH": f"{ROOT}/platform:{ROOT}", "PATH": path_with_node()}
    result = subprocess.run(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    took = time.monotonic() - started
    said = f"{'ok  ' if result.returncode == 0 else 'FAIL'} {name} ({took:.0f} s)\n"
    if result.returncode:
        said += (result.stdout + result.stderr)[-6000:] + "\n"
    print(said, end="", flush=True)  # whole, because another step may speak at the same time
    return result.returncode == 0


def main(everything: bool) -> int:
    wanted = steps()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        fine = list(pool.map(lambda step: run_step(*step), wanted))
    failed = [name for (name, _, _), good in zip(wanted, fine, strict=True) if not good]
    command = [str(BIN / "python"), "-m", "pytest", "-q"]
    if not everything:
        command += ["-m", FAST]
    elif os.geteuid() != 0:
        if os.environ.get("CI"):
            print("The cluster tests need root; with CI set they may not be left out.", file=sys.stderr)
            return 1
        print("Left out: the cluster, browser and fault tests (they need root).", flush=True)
        command += ["-m", FAST]
    if everything and os.geteuid() == 0:
        print("The cluster's binary and images:", flush=True)
        if subprocess.run([str(BIN / "python"), str(ROOT / "scripts/build_cluster.py")], cwd=ROOT).returncode:
            return 1
    code = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL).returncode
    if failed:
        print(f"Not green: {', '.join(failed)}", file=sys.stderr)
    return code or len(failed)


if __name__ == "__main__":
    sys.exit(main("--all" in sys.argv))
