"""The repository's own promises: names that would break imports, places that must not be named."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def tracked() -> list[Path]:
    """Files in Git, or all source files where there is no Git (a tarball)."""
    found = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if found.returncode == 0:
        return [ROOT / name for name in found.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file() and ".venv" not in path.parts and "node_modules" not in path.parts
    ]


def test_the_standard_librarys_platform_is_not_shadowed() -> None:
    """In a subprocess: here it is loaded already, so this test would pass when everything else breaks."""
    for extra in ([], [str(ROOT / "platform")]):
        code = (
            f"import sys; sys.path[:0] = {[str(ROOT), *extra]!r}; import platform; print(platform.system())"
        )
        found = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert found.stdout.strip(), found.stderr


def test_platform_is_a_plain_folder() -> None:
    assert not list((ROOT / "platform").glob("*.py"))


def test_no_lock_file_names_a_registry() -> None:
    """Addresses of registries are the machine's business; hashes are ours."""
    lock = ROOT / "frontend" / "package-lock.json"
    if lock.exists():
        assert '"resolved"' not in lock.read_text()
    for path in (ROOT / "requirements").glob("*"):
        assert not re.search(r"https?://", path.read_text()), path.name


@pytest.mark.parametrize("needle", ["/" + "root/", "/Users/"])
def test_no_file_names_a_developers_machine(needle: str) -> None:
    pattern = re.compile(rf"(?<![\w.]){re.escape(needle)}".encode())
    suspects = [
        path
        for path in tracked()
        if path.suffix in {".py", ".md", ".ts", ".svelte", ".toml", ".yaml", ".yml", ".html", ".go", ".json"}
    ]
    named = [
        str(path.relative_to(ROOT))
        for path in suspects
        if path != Path(__file__) and pattern.search(path.read_bytes())
    ]
    assert named == []
