"""From nothing to a running cluster, in a thread of the supervisor, told to the pages at every step."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sandbox.cluster.client import ClusterClient
from sandbox.cluster.which import RecordedOnly, choose_cluster, read_host
from sandbox.embedded.building import ensure_binary
from sandbox.embedded.errors import EmbeddedError
from sandbox.embedded.hands import HandsDesk
from sandbox.embedded.images import ensure_images
from sandbox.embedded.packages import CLUSTER_PACKAGES
from sandbox.embedded.plan import ClusterPlan
from sandbox.embedded.progress import Progress
from sandbox.embedded.supervising import EmbeddedCluster
from sandbox.installing import ensure_platform

from .debian import ensure_packages
from .home import Owner
from .notice import ClusterNotice, publish_notice


class ClusterThread(threading.Thread):
    """Builds, starts and keeps the embedded cluster until `stop` is set, then takes it down."""

    def __init__(self, home: Path, owner: Owner, say: Callable[[str], None]) -> None:
        super().__init__(name="cluster", daemon=True)
        self.home, self.owner, self.say = home, owner, say
        self.stopping = threading.Event()
        self.cluster: EmbeddedCluster | None = None
        self.hands: HandsDesk | None = None
        self.last_said = ("", 0.0)

    def publish(self, notice: ClusterNotice) -> None:
        publish_notice(self.home / "shared/cluster.json", notice, self.owner.gid)

    def progress(self, step: Progress) -> None:
        building = step.phase in ("binary", "images", "packages")
        self.publish(
            ClusterNotice(
                "building" if building else "starting", step.text, step.done, step.total, step.seconds_left
            )
        )
        phase, at = self.last_said
        if step.phase != phase or time.monotonic() - at > 20:
            count = f" ({step.done} of {step.total})" if step.total else ""
            self.say(f"{step.text}{count}")
            self.last_said = (step.phase, time.monotonic())

    def run(self) -> None:
        choice = choose_cluster(os.environ, read_host())
        if choice.note:
            self.say(choice.note)
        if isinstance(choice, RecordedOnly):
            reason, remedy = choice.reason, choice.remedy
            self.publish(ClusterNotice("absent", "Lessons play recorded here.", reason=reason, remedy=remedy))
            self.say(f"Lessons play recorded only. {reason} {remedy}")
            return
        try:
            self.bring_up()
        except EmbeddedError as error:
            self.fail(str(error), getattr(error, "remedy", "Mend that, then run: make up"))
        except Exception as error:  # a supervisor thread must never die silently
            self.fail(
                f"{type(error).__name__}: {error}", f"Look into {self.home}/cluster-1/logs, then run: make up"
            )
            raise

    def fail(self, reason: str, remedy: str) -> None:
        if self.stopping.is_set():
            return
        self.say(f"The cluster could not be started. {reason} Lessons play recorded. {remedy}")
        if self.cluster is not None:
            self.cluster.down()
        self.publish(
            ClusterNotice("failed", "The cluster could not be started.", reason=reason, remedy=remedy)
        )

    def bring_up(self) -> None:
        self.progress(Progress("packages", "Installing Debian packages for the cluster", 0, 0, None))
        ensure_packages(CLUSTER_PACKAGES)
        binary = ensure_binary(self.home, self.progress)
        images = ensure_images(self.home, self.progress, kubectl=binary)
        if self.stopping.is_set():
            return
        self.cluster = EmbeddedCluster(
            ClusterPlan(),
            self.home,
            binary=binary,
            images=images,
            group=self.owner.gid,
            progress=self.progress,
        )
        self.cluster.check_host()
        self.cluster.ensure_up()
        self.progress(Progress("guard rails", "Setting up the guard rails", 0, 0, None))
        asyncio.run(self.install())
        self.publish_images()
        self.hands = self.cluster.open_hands(self.home / "shared/hands.sock", self.owner.uid, self.owner.gid)
        self.publish(ClusterNotice("ready", "The cluster is ready."))
        self.say("The cluster is ready: lessons are LIVE.")
        self.cluster.keep(self.stopping)

    async def install(self) -> None:
        admin = ClusterClient.from_kubeconfig(
            self.home / "cluster-1/kube/admin.kubeconfig", user_agent="glasshull-installer"
        )
        try:
            await ensure_platform(admin)
        finally:
            await admin.close()

    def publish_images(self) -> None:
        source, target = self.home / "images/images.json", self.home / "shared/images.json"
        json.loads(source.read_text())
        shutil.copyfile(source, target)
        target.chmod(0o640)
        os.chown(target, 0, self.owner.gid)

    def stop(self) -> list[str]:
        """Take the cluster down; what could not be removed."""
        self.stopping.set()
        if self.cluster is not None:
            self.cluster.cancel()
        self.join(15)
        if self.hands is not None:
            self.hands.stop()
        return self.cluster.down() if self.cluster is not None else []
