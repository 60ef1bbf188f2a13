"""The cluster, opened for proof runs: the platform's three accounts, an observer, a record kept in memory."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.cluster.client import ClusterClient
from sandbox.cluster.kubeconfig import KubeconfigInvalid
from sandbox.faults.hands import SupervisorHands
from sandbox.observing import Observer
from sandbox.record.entry import Entry


class NoCluster(Exception):
    """There is nothing to run on; the text says what would change that."""


class MemoryStore:
    """A record that ends with the process."""

    def __init__(self) -> None:
        self.entries: dict[str, list[Entry]] = {}

    def append(self, sandbox: str, entries: Iterable[Entry]) -> None:
        self.entries.setdefault(sandbox, []).extend(entries)

    def read(self, sandbox: str, *, after: int = 0, until: int | None = None) -> Iterator[Entry]:
        for entry in tuple(self.entries.get(sandbox, ())):
            if entry.seq > after and (until is None or entry.seq <= until):
                yield entry

    def last_seq(self, sandbox: str) -> int:
        kept = self.entries.get(sandbox)
        return kept[-1].seq if kept else 0

    def next_epoch(self) -> int:
        return int(time.time())


@dataclass
class Stage:
    """The cluster, opened once for several runs."""

    keeper: ClusterClient
    runner: ClusterClient
    observer: Observer
    store: MemoryStore
    images: dict[str, str]
    handed: dict[str, asyncio.Event]


def state_folder() -> Path:
    given = os.environ.get("GLASSHULL_HOME")
    return Path(given) if given else Path.home() / ".local/share/glasshull"


def read_images(home: Path) -> dict[str, str]:
    """Image name -> what a Pod's `imageID` shows for it (the config's digest, for images imported from a file)."""
    found: dict[str, Any] = json.loads((home / "shared/images.json").read_text())
    return {name: str(facts["image_id"]) for name, facts in found.items()}


@asynccontextmanager
async def stage(home: Path) -> AsyncIterator[Stage]:
    """Connect with the platform's three accounts and begin to observe. Raises NoCluster."""
    try:
        clients = [
            ClusterClient.from_kubeconfig(
                home / f"shared/kube/{name}.kubeconfig", user_agent=f"glasshull-{name}-verify"
            )
            for name in ("observer", "keeper", "runner")
        ]
        images = read_images(home)
    except (OSError, KubeconfigInvalid) as error:
        raise NoCluster(
            f"No cluster of Glasshull runs for {home} ({error}). Start it with: make up"
        ) from error
    observing, keeper, runner = clients
    store = MemoryStore()
    handed: dict[str, asyncio.Event] = {}

    def on_handover(sandbox: str, *_range: Any) -> None:
        handed.setdefault(sandbox, asyncio.Event()).set()

    observer = Observer(
        observer=observing,
        keeper=keeper,
        runner=runner,
        store=store,
        audit=home / "shared/audit/audit.log",
        images=images,
        on_handover=on_handover,
        hands=SupervisorHands(home / "shared/hands.sock"),
    )
    task = asyncio.ensure_future(observer.run())
    try:
        await observer.ready()
        yield Stage(keeper, runner, observer, store, images, handed)
    except TimeoutError as error:
        raise NoCluster("The cluster does not answer. Is it still starting?") from error
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for client in clients:
            await client.close()
