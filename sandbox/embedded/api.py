"""The few requests the embedded cluster itself makes, as admin, without a loop: start-up is threads.

Everything else in the product talks through `sandbox/cluster/client.py`.
"""

import http.client
import json
import ssl
from pathlib import Path
from typing import Any

from sandbox.embedded.errors import EmbeddedError
from sandbox.embedded.plan import API_PORT, ClusterPlan


class ApiRefused(EmbeddedError):
    """The API server answered, but not with success."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"The API server refused ({status}): {message}")
        self.status = status


class AdminApi:
    """A connection per request: these are few, and the server restarts under us."""

    def __init__(self, plan: ClusterPlan, pki: Path) -> None:
        self._host = str(plan.root)
        self._pki = pki
        self._context: ssl.SSLContext | None = None

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            context = ssl.create_default_context(cafile=str(self._pki / "ca.crt"))
            context.load_cert_chain(self._pki / "admin.crt", self._pki / "admin.key")
            self._context = context
        return self._context

    def request(self, method: str, path: str, body: object = None, *, timeout: float = 5.0) -> Any:
        """The decoded answer (text when it is not JSON).

        Raises OSError or HTTPException while the server is away, ApiRefused when it says no.
        A body goes out as a server-side apply for PATCH, else as JSON.
        """
        kind = "application/apply-patch+yaml" if method == "PATCH" else "application/json"
        connection = http.client.HTTPSConnection(self._host, API_PORT, timeout=timeout, context=self._tls())
        try:
            connection.request(
                method,
                path,
                body=None if body is None else json.dumps(body),
                headers={"Content-Type": kind, "User-Agent": "glasshull-supervisor"},
            )
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status >= 300:
            raise ApiRefused(answer.status, text[:300])
        return json.loads(text) if text.startswith(("{", "[")) else text

    def apply(self, path: str, manifest: dict[str, Any]) -> None:
        """Server-side apply as `glasshull`, taking over fields that drifted."""
        self.request("PATCH", f"{path}?fieldManager=glasshull&force=true", manifest)

    def is_ready(self) -> bool:
        try:
            return bool(self.request("GET", "/readyz", timeout=2.0) == "ok")
        except (OSError, http.client.HTTPException, ApiRefused):
            return False

    def exists(self, path: str) -> bool:
        try:
            self.request("GET", path)
        except (OSError, http.client.HTTPException, ApiRefused):
            return False
        return True

    def read_nodes(self) -> list[dict[str, Any]]:
        """All Node objects; empty while the server is away."""
        try:
            return list(self.request("GET", "/api/v1/nodes", timeout=2.0).get("items", []))
        except (OSError, http.client.HTTPException, ApiRefused):
            return []
