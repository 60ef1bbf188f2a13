"""Two students, A and B, each with a sandbox on the real cluster. Made once for all probes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from sandbox.cluster.client import ClusterClient
from sandbox.plan import SandboxPlan
from sandbox.preparing import ensure_guard_rails, ensure_namespace
from sandbox.starting import apply_start
from sandbox.tokens import student_token
from tests.cluster.conftest import (
    Embedded,
    admin,
    embedded,
    keeper,
    kubectl,
    observer_client,
    runner,
    sandbox_plan,
)
from tests.cluster.real import START, status_of

__all__ = [
    "Embedded",
    "admin",
    "embedded",
    "keeper",
    "kubectl",
    "observer_client",
    "runner",
    "sandbox_plan",
]


@dataclass
class Student:
    """Acts with a student's own token."""

    plan: SandboxPlan
    token: str
    client: ClusterClient

    @property
    def namespace(self) -> str:
        return self.plan.namespace

    async def status(self, method, path, **arguments):
        """The HTTP status of one request as this student."""
        return await status_of(self.client, method, path, token=self.token, **arguments)


async def make_student(keeper, plan):
    """A student in a fresh sandbox without toolbox."""
    await ensure_namespace(keeper, plan)
    await ensure_guard_rails(keeper, plan)
    return Student(plan, (await student_token(keeper, plan)).value, keeper)


@pytest.fixture
async def student(keeper, sandbox_plan):
    """A, with nothing in the sandbox."""
    return await make_student(keeper, sandbox_plan())


@pytest.fixture
async def other(keeper, sandbox_plan):
    """B, with a running shop in the sandbox."""
    made = await make_student(keeper, sandbox_plan())
    await apply_start(keeper, made.plan, START)
    return made
