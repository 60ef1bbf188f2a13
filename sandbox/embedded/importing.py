"""Images into the nodes: each node has its own store, filled from OCI-layout tars."""

import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sandbox.embedded.commands import run
from sandbox.embedded.errors import EmbeddedError
from sandbox.embedded.layout import Layout
from sandbox.embedded.node import SOCKET, enter
from sandbox.embedded.plan import NodePlan

_NAME = "io.containerd.image.name"


@dataclass(frozen=True)
class ImageTar:
    path: Path

    @cached_property
    def digests(self) -> dict[str, str]:
        """Full name -> digest, as its index says."""
        try:
            with tarfile.open(self.path) as tar:
                member = tar.extractfile("index.json")
                index = json.load(member) if member else {}
        except (OSError, tarfile.TarError, KeyError, ValueError) as error:
            raise EmbeddedError(
                f"The image {self.path} is damaged ({error}).",
                "Delete it: it is built again at the next start.",
            ) from error
        return {
            entry["annotations"][_NAME]: entry["digest"]
            for entry in index.get("manifests", [])
            if _NAME in entry.get("annotations", {})
        }


def _ctr(layout: Layout, node: NodePlan) -> tuple[str, ...]:
    return (*enter(layout, node), "ctr", "--address", SOCKET, "--namespace", "k8s.io")


def is_serving(layout: Layout, node: NodePlan) -> bool:
    """True when the node's containerd answers."""
    try:
        run((*_ctr(layout, node), "version"), timeout=5.0)
    except EmbeddedError:
        return False
    return True


def parse_images(listing: str) -> dict[str, str]:
    """`ctr images ls` -> full name -> digest. Pure."""
    rows = (line.split() for line in listing.splitlines()[1:])
    return {row[0]: row[2] for row in rows if len(row) > 2}


def missing_on(layout: Layout, node: NodePlan, images: Sequence[ImageTar]) -> list[ImageTar]:
    """The tars of which something is not on the node, or is there in another version."""
    there = parse_images(run((*_ctr(layout, node), "images", "ls")))
    return [image for image in images if not image.digests.items() <= there.items()]


def import_image(layout: Layout, node: NodePlan, image: ImageTar) -> None:
    run((*_ctr(layout, node), "images", "import", str(image.path)), timeout=300.0)
