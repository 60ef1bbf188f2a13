"""What all tiers share. The real product is started once, by its own command, and used by every tier above the fast one."""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TIERS = ("cluster", "browser", "faults")
PORT = 8390


def tier_of(item: pytest.Item) -> int:
    marks = {mark.name for mark in item.iter_markers()}
    return max((number for number, tier in enumerate(TIERS, 1) if tier in marks), default=0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first; what kills parts of the product last."""
    items.sort(key=tier_of)


@dataclass
class Product:
    """A running Glasshull. `url` signs in an instructor, once."""

    home: Path
    port: int
    process: subprocess.Popen[str] | None
    url: str
    lines: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def kubeconfig(self) -> Path:
        return self.home / "cluster-1/kube/admin.kubeconfig"

    def scoped(self, name: str) -> Path:
        return self.home / "web/kube" / f"{name}.kubeconfig"

    def environment(self) -> dict[str, str]:
        return {**os.environ, "GLASSHULL_HOME": str(self.home), "PORT": str(self.port), "BIND": "127.0.0.1"}

    def manage(self, *arguments: str, timeout: float = 120) -> str:
        result = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def signin(self, role: str = "student", *, name: str = "") -> str:
        """A fresh sign-in address."""
        arguments = ["signin", "--role", role, "--quiet", *(["--name", name] if name else [])]
        return self.manage(*arguments).strip().splitlines()[-1]

    def cluster(self) -> dict[str, object]:
        return json.loads((self.home / "web/cluster.json").read_text())


def built_home() -> Path:
    """Where the binary and the images are kept between runs: the operator's own state folder."""
    given = os.environ.get("GLASSHULL_BUILD_HOME") or os.environ.get("GLASSHULL_HOME")
    return Path(given) if given else Path.home() / ".local/share/glasshull"


def start(home: Path, port: int) -> Product:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "up", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "GLASSHULL_HOME": str(home), "PORT": str(port), "BIND": "127.0.0.1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    product = Product(home, port, process, "")
    addresses: queue.Queue[str] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            product.lines.append(line.rstrip())
            found = re.search(r"http://\S+", line)
            if found and "/signin/" in found[0]:
                addresses.put(found[0])
        process.stdout.close()

    threading.Thread(target=read, daemon=True).start()
    try:
        product.url = addresses.get(timeout=90)
    except queue.Empty:
        stop(product)
        pytest.fail("`manage.py up` printed no address within 90 s:\n" + "\n".join(product.lines))
    return product


def wait_until_ready(product: Product, seconds: float = 25 * 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        state = product.cluster()
        if state["state"] == "ready":
            return
        if state["state"] in ("failed", "absent"):
            pytest.fail(f"The cluster did not come: {state}\n" + "\n".join(product.lines))
        time.sleep(0.2)
    pytest.fail(f"The cluster was not ready in {seconds:.0f} s: {product.cluster()}")


def stop(product: Product) -> int:
    process = product.process
    assert process is not None
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    return process.wait(90)


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """The real product with its real cluster. `GLASSHULL_TEST_HOME` uses one that already runs."""
    running = os.environ.get("GLASSHULL_TEST_HOME")
    if running:
        port = int(os.environ.get("GLASSHULL_TEST_PORT", "8300"))
        yield Product(Path(running), port, None, "")
        return
    if os.geteuid() != 0:
        if os.environ.get("CI"):
            pytest.fail("The cluster tests need root; with CI set they may not be left out.")
        pytest.skip("needs root for the embedded cluster")
    home = Path(tempfile.mkdtemp(prefix="gh-test-", dir="/tmp"))
    for name in ("bin", "images"):
        kept = built_home() / name
        kept.mkdir(parents=True, exist_ok=True)
        (home / name).symlink_to(kept)
    made = start(home, PORT)
    try:
        wait_until_ready(made)
        yield made
    finally:
        code = stop(made)
        print("\n".join(made.lines))
        keep_logs(home)
        shutil.rmtree(home, ignore_errors=True)
    assert code == 0, "`manage.py up` did not stop cleanly"


def keep_logs(home: Path) -> None:
    """Logs of the last run, for looking at after a failure."""
    target = ROOT / "test-artefacts/logs"
    shutil.rmtree(target, ignore_errors=True)
    for folder in (home / "web/log", home / "cluster-1/logs"):
        if folder.exists():
            shutil.copytree(folder, target / folder.parent.name, ignore_dangling_symlinks=True)
