"""One image as an OCI layout (image-spec 1.0) in one tar file, ready for `ctr -n k8s.io images import`."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.embedded.images.layers import TIME, Layer

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
CREATED = "1970-01-01T00:00:00Z"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class RunConfig:
    """How a container of an image starts when its Pod says nothing else. `user` is `uid:gid`."""

    command: tuple[str, ...]
    user: str
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str = "/"
    ports: tuple[int, ...] = ()


@dataclass(frozen=True)
class Built:
    """A written image: its manifest's digest, the sum of its layers in bytes, its layers' digests.

    `image_id` is the configuration's digest: what a Pod's status shows as `imageID` of an imported image.
    """

    digest: str
    image_id: str
    size: int
    layers: tuple[str, ...]


def write_image(name: str, config: RunConfig, layers: Sequence[Layer], file: Path) -> Built:
    """Write image `name` (registry/repository:tag in full, for containerd's annotation) to `file`."""
    config_blob = _json(config_of(config, layers))
    manifest_blob = _json(manifest_of(config_blob, layers))
    index_blob = _json(index_of(name, manifest_blob))
    with file.open("wb") as raw, tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        _add(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        _add(archive, "index.json", index_blob)
        for blob in (manifest_blob, config_blob):
            _add(archive, _place(digest_of(blob)), blob)
        for digest, layer in {layer.digest: layer for layer in layers}.items():
            member = _member(_place(digest), layer.size)
            with layer.file.open("rb") as content:
                archive.addfile(member, content)
    return Built(
        digest_of(manifest_blob),
        digest_of(config_blob),
        sum(layer.size for layer in layers),
        tuple(layer.digest for layer in layers),
    )


def config_of(config: RunConfig, layers: Sequence[Layer]) -> dict[str, Any]:
    """The image's configuration, for this machine's architecture."""
    return {
        "created": CREATED,
        "architecture": architecture(),
        "os": "linux",
        "config": {
            "User": config.user,
            "Env": [f"{name}={value}" for name, value in config.environment.items()],
            "Entrypoint": list(config.command),
            "WorkingDir": config.folder,
            "ExposedPorts": {f"{port}/tcp": {} for port in config.ports},
        },
        "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in layers]},
    }


def manifest_of(config_blob: bytes, layers: Sequence[Layer]) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": digest_of(config_blob), "size": len(config_blob)},
        "layers": [{"mediaType": LAYER, "digest": layer.digest, "size": layer.size} for layer in layers],
    }


def index_of(name: str, manifest_blob: bytes) -> dict[str, Any]:
    tag = name.rpartition(":")[2]
    return {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [
            {
                "mediaType": MANIFEST,
                "digest": digest_of(manifest_blob),
                "size": len(manifest_blob),
                "platform": {"architecture": architecture(), "os": "linux"},
                "annotations": {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": tag},
            }
        ],
    }


def architecture() -> str:
    """This machine's architecture in Go's and OCI's words."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def digest_of(blob: bytes) -> str:
    return "sha256:" + hashlib.sha256(blob).hexdigest()


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _place(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/", 1)


def _member(path: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.size, member.mode, member.mtime = size, 0o644, TIME
    return member


def _add(archive: tarfile.TarFile, path: str, blob: bytes) -> None:
    archive.addfile(_member(path, len(blob)), io.BytesIO(blob))
