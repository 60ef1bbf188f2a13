"""Helpers for tests of sandboxes on the real cluster."""

from __future__ import annotations

import itertools

from sandbox.cluster.client import ClusterClient
from sandbox.cluster.kinds import DEPLOYMENT, POD
from sandbox.cluster.waiting import wait_for
from sandbox.errors import ApiError
from sandbox.prober_pod import is_ready

START = [
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "storefront", "labels": {"app": "storefront"}},
        "spec": {
            "containers": [{"name": "app", "image": "app/storefront:1.0", "ports": [{"containerPort": 8080}]}]
        },
    },
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "storefront"},
        "spec": {"selector": {"app": "storefront"}, "ports": [{"port": 80, "targetPort": 8080}]},
    },
]

DEPLOYMENT_TEXT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, labels: {app: shop}}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - name: app
          image: app/storefront:1.0
"""


class Crash(Exception):
    """We died here."""


class CrashingClient:
    """Passes everything on to a client, and dies at the n-th request: before it is sent, or after its answer."""

    def __init__(self, client: ClusterClient, at: int, *, after: bool) -> None:
        self._client, self._at, self._after = client, at, after
        self._numbers = itertools.count(1)
        self.died = False

    def __getattr__(self, name):
        return getattr(self._client, name)

    async def request(self, *arguments, **keywords):
        return (await self.exchange(*arguments, **keywords)).body

    async def exchange(self, *arguments, **keywords):
        number = next(self._numbers)
        if self.died or (number == self._at and not self._after):
            self.died = True
            raise Crash(number)
        answer = await self._client.exchange(*arguments, **keywords)
        if number == self._at:
            self.died = True
            raise Crash(number)
        return answer


async def no_file(*_, mode):
    """Instead of writing into a toolbox, where the test is not about the terminal."""


async def names(client, kind, namespace):
    listed = await client.request("GET", kind.collection(namespace))
    return {one["metadata"]["name"] for one in listed["items"]}


async def uids(client, kind, namespace):
    listed = await client.request("GET", kind.collection(namespace))
    return {one["metadata"]["name"]: one["metadata"]["uid"] for one in listed["items"]}


async def status_of(client, method, path, **arguments):
    """The HTTP status of one request, whatever it is."""
    try:
        return (await client.exchange(method, path, **arguments)).status
    except ApiError as error:
        return error.status


async def pod_ready(client, namespace, name, *, timeout=40.0):
    return await wait_for(client, POD, namespace, name, is_ready, timeout=timeout)


async def deployment_ready(client, namespace, name, replicas, *, timeout=60.0):
    def done(found):
        return bool(found) and (found.get("status") or {}).get("readyReplicas") == replicas

    return await wait_for(client, DEPLOYMENT, namespace, name, done, timeout=timeout)
