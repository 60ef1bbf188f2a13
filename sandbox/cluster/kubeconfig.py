"""Read what a client needs from a kubeconfig: server, authority, client certificate or token."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.errors import SandboxError


class KubeconfigInvalid(SandboxError):
    """The file is missing, unreadable or lacks what a connection needs."""


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach one API server as one user. PEM texts; `token` only when no certificate is given."""

    server: str
    authority: bytes
    certificate: bytes | None = None
    key: bytes | None = None
    token: str | None = None


def read_access(path: Path) -> Access:
    """The current context of the kubeconfig at `path`. Raises KubeconfigInvalid."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise KubeconfigInvalid(f"Cannot read the kubeconfig {path}: {error.strerror}.") from error
    try:
        config = yaml.safe_load(text)
        return _access_of(config, path.parent)
    except (yaml.YAMLError, KeyError, TypeError, ValueError, OSError) as error:
        raise KubeconfigInvalid(
            f"The kubeconfig {path} is not usable ({error!r}); write it again with `manage.py up`."
        ) from error


def _access_of(config: Mapping[str, Any], folder: Path) -> Access:
    context = _named(config["contexts"], config["current-context"])["context"]
    cluster = _named(config["clusters"], context["cluster"])["cluster"]
    user = _named(config["users"], context["user"])["user"]
    return Access(
        server=str(cluster["server"]).rstrip("/"),
        authority=_pem(cluster, "certificate-authority", folder) or b"",
        certificate=_pem(user, "client-certificate", folder),
        key=_pem(user, "client-key", folder),
        token=user.get("token"),
    )


def _named(entries: Any, name: str) -> Mapping[str, Any]:
    for entry in entries:
        if entry["name"] == name:
            return dict(entry)
    raise KeyError(name)


def _pem(holder: Mapping[str, Any], field: str, folder: Path) -> bytes | None:
    """Inline data wins over a file, as in kubectl; a relative file is relative to the kubeconfig."""
    if inline := holder.get(f"{field}-data"):
        return base64.b64decode(inline)
    if file := holder.get(field):
        return (folder / str(file)).read_bytes()
    return None


def kubeconfig_for(*, server: str, authority: bytes, namespace: str, user: str, token: str) -> str:
    """A kubeconfig for one user with a token, whose default namespace is `namespace`."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "sandbox",
        "clusters": [
            {
                "name": "cluster",
                "cluster": {
                    "server": server,
                    "certificate-authority-data": base64.b64encode(authority).decode(),
                },
            }
        ],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [
            {"name": "sandbox", "context": {"cluster": "cluster", "user": user, "namespace": namespace}}
        ],
    }
    return str(yaml.safe_dump(config, sort_keys=False))
