"""Make a sandbox: namespace, guard rails, toolbox, and only then a key. Idempotent step by step."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from sandbox import manifests
from sandbox.cluster.client import ClusterClient
from sandbox.cluster.ensuring import ensure_all_applied, ensure_applied
from sandbox.cluster.kinds import NAMESPACE, POD, RESOURCE_QUOTA
from sandbox.cluster.kubeconfig import kubeconfig_for
from sandbox.cluster.waiting import wait_for, wait_until_gone
from sandbox.errors import NotFound, SandboxError, SandboxMismatch, SandboxNotReady
from sandbox.plan import SANDBOX_LABEL, STUDENT, TOOLBOX_NAMESPACE, SandboxPlan
from sandbox.starting import apply_start
from sandbox.tokens import Token, student_token
from sandbox.toolbox_files import write_file as write_file_in_toolbox

KUBECONFIG = f"{manifests.HOME}/.kube/config"
GUARD_RAILS_TIMEOUT_S = 30.0
TOOLBOX_TIMEOUT_S = 90.0
NAMESPACE_PHASE, RAILS_PHASE, TOOLBOX_PHASE, KEY_PHASE = "namespace", "guard rails", "toolbox", "your key"

_NO_IMAGE = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")

# (name of the phase, milliseconds it took; None when it begins)
OnPhase: TypeAlias = Callable[[str, float | None], None]


class WriteFile(Protocol):
    """As `sandbox.toolbox_files.write_file`: put `content` at `path` in a Pod."""

    def __call__(
        self, client: ClusterClient, namespace: str, pod: str, path: str, content: bytes, *, mode: int
    ) -> Awaitable[None]: ...


@dataclass(frozen=True, slots=True)
class Prepared:
    """What to remember about a sandbox that was made. `key_expires` in Unix seconds."""

    namespace_uid: str
    key_expires: float


@dataclass(frozen=True, slots=True)
class Filling:
    """What a lesson lays into a new sandbox: texts by their path in the toolbox's home, and manifests."""

    files: Mapping[str, str] = field(default_factory=dict)
    objects: Sequence[Mapping[str, Any]] = ()


NOTHING = Filling()


async def ensure_sandbox(
    keeper: ClusterClient,
    plan: SandboxPlan,
    on_phase: OnPhase,
    filling: Filling = NOTHING,
    *,
    write_file: WriteFile = write_file_in_toolbox,
) -> Prepared:
    """Guard rails in force, toolbox running, key and `filling` in it. Repeating it repairs what is missing.

    Nothing waits for what it does not need: the toolbox starts at once, because its container is the slowest
    part; the objects follow the confirmed guard rails; the files need the toolbox; the key needs both.
    Raises SandboxNotReady (try again), SandboxMismatch (somebody else's namespace), SandboxError (the toolbox
    cannot start, with the kubelet's reason), FileTrouble, ApiError, ClusterUnavailable.
    """
    try:
        async with asyncio.TaskGroup() as group:
            rails = group.create_task(_ensure_rails_and_token(keeper, plan, on_phase))
            toolbox = group.create_task(_timed_toolbox(keeper, plan, on_phase))
            group.create_task(_start(keeper, plan, rails, filling.objects))
            group.create_task(_lay_files(keeper, plan, toolbox, filling.files, write_file))
            group.create_task(_timed_key(keeper, plan, rails, toolbox, on_phase, write_file))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    uid, token = rails.result()
    return Prepared(uid, token.expires)


Rails: TypeAlias = "asyncio.Task[tuple[str, Token]]"


async def _start(
    keeper: ClusterClient, plan: SandboxPlan, rails: Rails, objects: Sequence[Mapping[str, Any]]
) -> None:
    await rails
    await apply_start(keeper, plan, objects)


async def _lay_files(
    keeper: ClusterClient,
    plan: SandboxPlan,
    toolbox: asyncio.Task[None],
    files: Mapping[str, str],
    write_file: WriteFile,
) -> None:
    await toolbox
    for path, text in files.items():
        await write_file(keeper, TOOLBOX_NAMESPACE, plan.toolbox, path, text.encode(), mode=0o644)


async def _timed_key(
    keeper: ClusterClient,
    plan: SandboxPlan,
    rails: Rails,
    toolbox: asyncio.Task[None],
    on_phase: OnPhase,
    write_file: WriteFile,
) -> None:
    _, token = await rails
    await toolbox
    with _phase(KEY_PHASE, on_phase):
        await _write_key(keeper, plan, token, write_file)


async def hand_out_key(
    keeper: ClusterClient, plan: SandboxPlan, *, write_file: WriteFile = write_file_in_toolbox
) -> Token:
    """A fresh token into the toolbox's kubeconfig; call it again every `tokens.RENEW_AFTER_S`."""
    token = await student_token(keeper, plan)
    await _write_key(keeper, plan, token, write_file)
    return token


async def _write_key(keeper: ClusterClient, plan: SandboxPlan, token: Token, write_file: WriteFile) -> None:
    text = kubeconfig_for(
        server=keeper.base_url,
        authority=keeper.authority,
        namespace=plan.namespace,
        user=STUDENT,
        token=token.value,
    )
    await write_file(keeper, TOOLBOX_NAMESPACE, plan.toolbox, KUBECONFIG, text.encode(), mode=0o600)


async def _ensure_rails_and_token(
    keeper: ClusterClient, plan: SandboxPlan, on_phase: OnPhase
) -> tuple[str, Token]:
    """The namespace's uid, and a token asked for only once the guard rails are confirmed."""
    with _phase(NAMESPACE_PHASE, on_phase):
        uid = await ensure_namespace(keeper, plan)
    with _phase(RAILS_PHASE, on_phase):
        await ensure_guard_rails(keeper, plan)
    return uid, await student_token(keeper, plan)


async def ensure_namespace(keeper: ClusterClient, plan: SandboxPlan) -> str:
    """Its uid. Never takes over a namespace that is not this sandbox's or is on its way out."""
    try:
        found = await keeper.request("GET", NAMESPACE.path(None, plan.namespace))
    except NotFound:
        found = None
    if found is not None:
        metadata = found["metadata"]
        if (metadata.get("labels") or {}).get(SANDBOX_LABEL) != plan.key:
            raise SandboxMismatch(f"Namespace {plan.namespace} exists and is not ours; it is left alone.")
        if metadata.get("deletionTimestamp"):
            raise SandboxNotReady(f"Namespace {plan.namespace} is still being removed; try again soon.")
    applied = await ensure_applied(keeper, manifests.namespace(plan))
    return str(applied["metadata"]["uid"])


async def ensure_guard_rails(keeper: ClusterClient, plan: SandboxPlan) -> None:
    """Create them all together and return when they are confirmed, the quota by its own controller."""
    await ensure_all_applied(keeper, manifests.guard_rails(plan))
    wanted = manifests.quota(plan)
    name, hard = wanted["metadata"]["name"], wanted["spec"]["hard"]

    def is_in_force(found: dict[str, Any] | None) -> bool:
        """The quota controller has counted: before that the quota refuses or counts wrongly."""
        status = (found or {}).get("status") or {}
        return set(status.get("hard") or {}) >= set(hard) and "pods" in (status.get("used") or {})

    await wait_for(keeper, RESOURCE_QUOTA, plan.namespace, name, is_in_force, timeout=GUARD_RAILS_TIMEOUT_S)


async def _timed_toolbox(keeper: ClusterClient, plan: SandboxPlan, on_phase: OnPhase) -> None:
    with _phase(TOOLBOX_PHASE, on_phase):
        await ensure_toolbox(keeper, plan)


async def ensure_toolbox(keeper: ClusterClient, plan: SandboxPlan) -> None:
    """A Ready toolbox Pod; one that ended is replaced."""
    path = POD.path(TOOLBOX_NAMESPACE, plan.toolbox)
    try:
        found = await keeper.request("GET", path)
    except NotFound:
        found = None
    if found is not None and _is_over(found):
        await keeper.request("DELETE", path, body={"gracePeriodSeconds": 0})
        await wait_until_gone(
            keeper, POD, TOOLBOX_NAMESPACE, plan.toolbox, found["metadata"]["uid"], timeout=TOOLBOX_TIMEOUT_S
        )
        found = None
    if found is None:
        await ensure_applied(keeper, manifests.toolbox(plan))
    await wait_for(keeper, POD, TOOLBOX_NAMESPACE, plan.toolbox, _is_running, timeout=TOOLBOX_TIMEOUT_S)


def _is_over(pod: dict[str, Any]) -> bool:
    ended = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
    return ended or bool(pod["metadata"].get("deletionTimestamp"))


def _is_running(pod: dict[str, Any] | None) -> bool:
    """True once its container runs. Raises SandboxError when it never will."""
    if pod is None:
        return False
    for status in pod.get("status", {}).get("containerStatuses") or []:
        waiting = (status.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in _NO_IMAGE:
            raise SandboxError(
                f"The toolbox's image {status['image']} is on no node ({waiting['reason']}); "
                "run `manage.py up` again, it brings the images."
            )
        if "running" in (status.get("state") or {}):
            return True
    return False


@contextmanager
def _phase(name: str, on_phase: OnPhase) -> Iterator[None]:
    """Tell when it begins, and how long it took unless it failed."""
    on_phase(name, None)
    started = time.monotonic()
    yield
    on_phase(name, (time.monotonic() - started) * 1000)
