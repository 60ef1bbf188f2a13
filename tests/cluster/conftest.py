"""Fixtures for tests on the real cluster. Each test makes its own namespaces and removes them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bench.product import Product
from sandbox.cluster.client import ClusterClient
from sandbox.errors import SandboxMismatch
from sandbox.plan import SandboxPlan, plan_for
from sandbox.removing import ensure_removed


class Embedded:
    """The product's own cluster, seen with the administrator's eyes."""

    def __init__(self, product: Product) -> None:
        self.home: Path = product.home
        self.kubeconfig: Path = product.kubeconfig
        self.kubectl = product.kubectl
        self.product = product


@pytest.fixture(scope="session")
def embedded(product: Product) -> Embedded:
    return Embedded(product)


@pytest.fixture
def kubectl(embedded: Embedded) -> Callable[..., str]:
    return embedded.kubectl


async def connected(path: Path, name: str) -> AsyncIterator[ClusterClient]:
    client = ClusterClient.from_kubeconfig(path, user_agent=f"glasshull-test-{name}")
    yield client
    await client.close()


@pytest.fixture
async def admin(embedded: Embedded) -> AsyncIterator[ClusterClient]:
    async for client in connected(embedded.kubeconfig, "admin"):
        yield client


@pytest.fixture
async def keeper(embedded: Embedded) -> AsyncIterator[ClusterClient]:
    async for client in connected(embedded.product.scoped("keeper"), "keeper"):
        yield client


@pytest.fixture
async def runner(embedded: Embedded) -> AsyncIterator[ClusterClient]:
    async for client in connected(embedded.product.scoped("runner"), "runner"):
        yield client


@pytest.fixture
async def observer_client(embedded: Embedded) -> AsyncIterator[ClusterClient]:
    async for client in connected(embedded.product.scoped("observer"), "observer"):
        yield client


@pytest.fixture
async def sandbox_plan(admin: ClusterClient) -> AsyncIterator[Callable[..., SandboxPlan]]:
    """Makes plans; what came of them is removed afterwards."""
    made: list[SandboxPlan] = []

    def make(**changes: Any) -> SandboxPlan:
        budget: dict[str, Any] = {
            "pods": 5,
            "memory": 120 * 2**20,
            "cpu": 0.6,
            "capabilities": ("nodes.read",),
        }
        plan = plan_for(uuid.uuid4().hex, **{**budget, **changes})
        made.append(plan)
        return plan

    yield make
    for plan in made:
        try:
            await ensure_removed(admin, plan)
        except SandboxMismatch:  # a test put a foreign namespace in its place
            await admin.request("DELETE", f"/api/v1/namespaces/{plan.namespace}")
