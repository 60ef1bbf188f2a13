"""Kubeconfig files with everything inside. Pure, but for reading the certificates."""

import base64
import json
from pathlib import Path
from typing import Any


def kubeconfig_for(pki: Path, server: str, name: str) -> bytes:
    """A kubeconfig for the client certificate `name`; JSON, which is YAML too."""
    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "glasshull",
                "cluster": {"server": server, "certificate-authority-data": _data(pki / "ca.crt")},
            }
        ],
        "users": [
            {
                "name": name,
                "user": {
                    "client-certificate-data": _data(pki / f"{name}.crt"),
                    "client-key-data": _data(pki / f"{name}.key"),
                },
            }
        ],
        "contexts": [{"name": "glasshull", "context": {"cluster": "glasshull", "user": name}}],
        "current-context": "glasshull",
    }
    return json.dumps(document, indent=1).encode()


def _data(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
