"""The real product, started by its own command, for measurements and for the tiers of tests above the fast one."""

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
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PORT = 8390


class ProductFailed(Exception):
    """It did not start; the text holds what it said."""


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

    @property
    def kubectl_path(self) -> Path:
        return next((self.home / "bin").glob("*/kubectl"))

    def scoped(self, name: str) -> Path:
        return self.home / "shared/kube" / f"{name}.kubeconfig"

    def environment(self) -> dict[str, str]:
        return environment_for(self.home, self.port)

    def kubectl(self, *arguments: str, check: bool = True, stdin: str | None = None) -> str:
        """Standard output. Raises ProductFailed with kubectl's words."""
        result = subprocess.run(
            [str(self.kubectl_path), f"--kubeconfig={self.kubeconfig}", *arguments],
            capture_output=True,
            text=True,
            timeout=90,
            input=stdin,
        )
        if check and result.returncode:
            raise ProductFailed(result.stderr)
        return result.stdout

    def manage(self, *arguments: str, timeout: float = 120) -> str:
        """An operator's command. Raises ProductFailed."""
        result = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if result.returncode:
            raise ProductFailed(result.stdout + result.stderr)
        return result.stdout

    def signin(self, role: str = "student", *, name: str = "") -> str:
        """A fresh sign-in address."""
        arguments = ["signin", "--role", role, "--quiet", *(["--name", name] if name else [])]
        return self.manage(*arguments).strip().splitlines()[-1]

    def cluster(self) -> dict[str, Any]:
        return json.loads((self.home / "shared/cluster.json").read_text())


def environment_for(home: Path, port: int) -> dict[str, str]:
    """What an operator's shell would hold: none of the test runner's own settings."""
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    return {**kept, "GLASSHULL_HOME": str(home), "PORT": str(port), "BIND": "127.0.0.1"}


def built_home() -> Path:
    """Where the binary and the images are kept between runs: the operator's own state folder."""
    given = os.environ.get("GLASSHULL_BUILD_HOME")  # not GLASSHULL_HOME: the fast tests point it elsewhere
    return Path(given) if given else Path.home() / ".local/share/glasshull"


def make_home() -> Path:
    """A new state folder that shares what was built. Short, because socket paths end at 107 characters."""
    home = Path(tempfile.mkdtemp(prefix="gh-test-", dir="/tmp"))
    for name in ("bin", "images"):
        kept = built_home() / name
        kept.mkdir(parents=True, exist_ok=True)
        (home / name).symlink_to(kept)
    return home


def start(home: Path, port: int, *, patience: float = 90) -> Product:
    """Until the address is printed. Raises ProductFailed."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "up", "--port", str(port)],
        cwd=ROOT,
        env=environment_for(home, port),
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
            found = re.search(r"http://\S+/signin/\S+", line)
            if found:
                addresses.put(found[0])
        process.stdout.close()

    threading.Thread(target=read, daemon=True).start()
    try:
        product.url = addresses.get(timeout=patience)
    except queue.Empty:
        stop(product)
        raise ProductFailed(f"no address within {patience:.0f} s:\n" + "\n".join(product.lines)) from None
    return product


def wait_until_ready(product: Product, seconds: float = 25 * 60) -> None:
    """Raises ProductFailed when the cluster does not come."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        state = product.cluster()
        if state["state"] == "ready":
            return
        if state["state"] in ("failed", "absent"):
            raise ProductFailed(f"The cluster did not come: {state}\n" + "\n".join(product.lines))
        time.sleep(0.2)
    raise ProductFailed(f"The cluster was not ready in {seconds:.0f} s: {product.cluster()}")


def stop(product: Product) -> int:
    """Ctrl-C; the exit code."""
    process = product.process
    assert process is not None
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    return process.wait(90)


def keep_logs(home: Path) -> None:
    """Logs of the last run, for looking at after a failure."""
    target = ROOT / "test-artefacts/logs"
    shutil.rmtree(target, ignore_errors=True)
    for folder in (home / "log", home / "cluster-1/logs"):
        if folder.exists():
            shutil.copytree(folder, target / folder.parent.name, ignore_dangling_symlinks=True)


@contextmanager
def running_product(port: int = PORT) -> Iterator[Product]:
    """A whole run. `GLASSHULL_TEST_HOME` (and `_PORT`) use one that runs already."""
    running = os.environ.get("GLASSHULL_TEST_HOME")
    if running:
        yield Product(Path(running), int(os.environ.get("GLASSHULL_TEST_PORT", "8300")), None, "")
        return
    home = make_home()
    product = start(home, port)
    try:
        wait_until_ready(product)
        yield product
    finally:
        code = stop(product)
        print("\n".join(product.lines))
        keep_logs(home)
        shutil.rmtree(home, ignore_errors=True)
    if code:
        raise ProductFailed("`manage.py up` did not stop cleanly:\n" + "\n".join(product.lines[-5:]))
