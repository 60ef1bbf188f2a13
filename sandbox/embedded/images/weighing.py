"""What the shop's apps weigh: their own layer, and the memory a copy of them really takes.

A lesson promises each copy some memory. Whether an app stays within it is measured as the container would run
it: in the image's own files, by its own interpreter, as its own user.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.embedded.images.building import tar_of
from sandbox.embedded.images.errors import ImageBuildFailed
from sandbox.embedded.images.shop import App

CHROOT = "/usr/sbin/chroot"  # named in full: an app's own PATH, if it has one, does not reach there
LIMIT = 20.0  # seconds for an app to start and answer
ASKED = 20  # requests before it is weighed: the first ones import and compile what an app needs
_LISTENING = re.compile(rb"listening on (\d+),")
_PAGES = ("/items", "/stock", "/ledger", "/whoami")  # what is not there is answered, too


@dataclass(frozen=True)
class Weight:
    """Sizes in bytes; `own` of the layer that no other app shares, `resident` after some requests."""

    app: App
    own: int
    whole: int
    digest: str
    resident: int

    @property
    def fits(self) -> bool:
        return self.resident <= self.app.memory


def weigh(folder: Path, apps: Iterable[App]) -> Iterator[Weight]:
    """Each app's weight, from the image tars in `folder`. Needs root. Raises ImageBuildFailed."""
    for app in apps:
        tar = tar_of(folder, app.image)
        with tempfile.TemporaryDirectory(prefix="glasshull-weigh-") as scratch, tarfile.open(tar) as image:
            digest, manifest = _manifest(image)
            config = _blob(image, manifest["config"]["digest"])["config"]
            root = Path(scratch)
            root.chmod(0o755)  # the app's user goes through it
            for layer in manifest["layers"]:
                _unpack(image, layer["digest"], root)
            sizes = [layer["size"] for layer in manifest["layers"]]
            yield Weight(app, sizes[-1], sum(sizes), digest, _resident(app, config, root))


def table(weights: Sequence[Weight]) -> str:
    """Rows to read: name, version, own layer, digest, memory against what lessons promise."""
    rows = [("app", "version", "own layer", "digest", "memory", "of")]
    rows += [
        (
            each.app.name,
            each.app.version,
            f"{each.own / 1024:.0f} KiB",
            each.digest.removeprefix("sha256:")[:12],
            f"{each.resident / 2**20:.1f} MiB",
            f"{each.app.memory / 2**20:.0f} MiB" + ("" if each.fits else "  TOO MUCH"),
        )
        for each in weights
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _resident(app: App, config: dict[str, Any], root: Path) -> int:
    with _running(app, config, root) as (process, port):
        for n in range(ASKED):
            _ask(port, _PAGES[n % len(_PAGES)])
        pages = Path(f"/proc/{process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def _running(app: App, config: dict[str, Any], root: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    environment = dict(pair.split("=", 1) for pair in config["Env"])
    environment |= {"PORT": "0", "ADMIN_PORT": "0", "START_DELAY": "0"}
    command = [CHROOT, f"--userspec={config['User']}", str(root), *config["Entrypoint"]]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        late = threading.Timer(LIMIT, process.kill)
        late.start()
        try:
            yield process, _port(app, process)
        finally:
            late.cancel()
            process.kill()


def _port(app: App, process: subprocess.Popen[bytes]) -> int:
    """Read the log until the app says where it listens."""
    assert process.stdout is not None  # noqa: S101  (it is a pipe)
    said = b""
    for line in process.stdout:
        said += line
        found = _LISTENING.search(line)
        if found:
            return int(found[1])
    last = said.decode(errors="replace").strip()[-300:]
    raise ImageBuildFailed(f"{app.image} does not start in its own files: {last or 'it says nothing'}")


def _ask(port: int, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
    finally:
        connection.close()


def _manifest(image: tarfile.TarFile) -> tuple[str, dict[str, Any]]:
    member = image.extractfile("index.json")
    digest = json.loads(member.read())["manifests"][0]["digest"] if member else ""
    return digest, _blob(image, digest)


def _blob(image: tarfile.TarFile, digest: str) -> dict[str, Any]:
    member = image.extractfile(_place(digest))
    found: dict[str, Any] = json.loads(member.read()) if member else {}
    return found


def _unpack(image: tarfile.TarFile, digest: str, root: Path) -> None:
    blob = image.extractfile(_place(digest))
    with tarfile.open(fileobj=blob, mode="r:") as layer:
        layer.extractall(root, filter="tar")  # our own layers, written by `layers`


def _place(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/", 1)
