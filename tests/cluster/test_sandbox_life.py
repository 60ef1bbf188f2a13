"""A sandbox from nothing to nothing on the real cluster, with a crash between any two steps."""

import asyncio
import time

import pytest

from sandbox import manifests
from sandbox.applying import apply, parse_manifests
from sandbox.cluster.kinds import (
    CLUSTER_ROLE_BINDING,
    CONFIG_MAP,
    DEPLOYMENT,
    LIMIT_RANGE,
    NAMESPACE,
    NETWORK_POLICY,
    POD,
    REPLICA_SET,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    SERVICE,
    SERVICE_ACCOUNT,
)
from sandbox.cluster.waiting import wait_until_gone
from sandbox.errors import SandboxMismatch
from sandbox.plan import TOOLBOX_NAMESPACE
from sandbox.preparing import ensure_sandbox
from sandbox.removing import ensure_removed
from sandbox.resetting import reset, wait_until_clean
from sandbox.starting import apply_start
from sandbox.tokens import student_token
from tests.cluster.real import (
    DEPLOYMENT_TEXT,
    START,
    Crash,
    CrashingClient,
    deployment_ready,
    names,
    no_file,
    pod_ready,
    status_of,
    uids,
)

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]


async def prepared(keeper, plan):
    return await ensure_sandbox(keeper, plan, lambda *_: None, write_file=no_file)


async def rails_of(client, plan):
    kinds = (NETWORK_POLICY, RESOURCE_QUOTA, LIMIT_RANGE, SERVICE_ACCOUNT, ROLE_BINDING)
    return {kind.name: await uids(client, kind, plan.namespace) for kind in kinds}


async def test_a_sandbox_is_made_in_named_phases(keeper, admin, sandbox_plan):
    plan, phases = sandbox_plan(), []
    made = await ensure_sandbox(keeper, plan, lambda name, ms: phases.append((name, ms)), write_file=no_file)
    ended = [name for name, ms in phases if ms is not None]
    assert sorted(ended) == sorted(["namespace", "guard rails", "toolbox", "your key"])
    assert ended[-1] == "your key", "no key before everything else is confirmed"
    assert all(ms > 0 for _, ms in phases if ms is not None)
    namespace = await admin.request("GET", NAMESPACE.path(None, plan.namespace))
    assert namespace["metadata"]["uid"] == made.namespace_uid
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert 3000 < made.key_expires - time.time() <= 3605
    rails = await rails_of(admin, plan)
    assert set(rails["NetworkPolicy"]) == {"default-deny", "allow-each-other", "allow-dns", "allow-platform"}
    assert set(rails["ServiceAccount"]) == {"default", "student"}
    quota = await admin.request("GET", RESOURCE_QUOTA.path(plan.namespace, "sandbox"))
    assert set(quota["status"]["hard"]) == set(manifests.quota(plan)["spec"]["hard"])
    assert await names(admin, POD, plan.namespace) == set(), "nothing of ours where the student looks"
    toolbox = await admin.request("GET", POD.path(TOOLBOX_NAMESPACE, plan.toolbox))
    assert toolbox["status"]["phase"] == "Running"
    assert not toolbox["spec"].get("volumes", [{}])[0].get("projected"), "no token of a Pod in it"


async def test_making_it_again_changes_nothing(keeper, admin, sandbox_plan):
    plan = sandbox_plan()
    first = await prepared(keeper, plan)
    rails = await rails_of(admin, plan)
    toolbox = (await admin.request("GET", POD.path(TOOLBOX_NAMESPACE, plan.toolbox)))["metadata"]["uid"]
    again = await prepared(keeper, plan)
    assert again.namespace_uid == first.namespace_uid
    assert await rails_of(admin, plan) == rails
    assert (await admin.request("GET", POD.path(TOOLBOX_NAMESPACE, plan.toolbox)))["metadata"][
        "uid"
    ] == toolbox


async def test_making_it_again_repairs_what_is_missing(keeper, admin, sandbox_plan):
    plan = sandbox_plan()
    await prepared(keeper, plan)
    await admin.request("DELETE", NETWORK_POLICY.path(plan.namespace, "default-deny"))
    await admin.request("DELETE", RESOURCE_QUOTA.path(plan.namespace, "sandbox"))
    await admin.request("DELETE", POD.path(TOOLBOX_NAMESPACE, plan.toolbox), body={"gracePeriodSeconds": 0})
    await prepared(keeper, plan)
    rails = await rails_of(admin, plan)
    assert "default-deny" in rails["NetworkPolicy"]
    assert "sandbox" in rails["ResourceQuota"]
    assert plan.toolbox in await names(admin, POD, TOOLBOX_NAMESPACE)


async def test_another_ones_namespace_is_not_taken_over(keeper, admin, sandbox_plan):
    plan = sandbox_plan()
    foreign = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": plan.namespace}}
    await admin.request("POST", NAMESPACE.everywhere, body=foreign)
    with pytest.raises(SandboxMismatch, match="not ours"):
        await prepared(keeper, plan)
    assert await names(admin, RESOURCE_QUOTA, plan.namespace) == set()


async def crashing_everywhere(crash_at, *, at_once=4):
    """Die at request 1, 2, 3, … until a run needs fewer requests than that."""
    step = 1
    while any(await asyncio.gather(*(crash_at(step + offset) for offset in range(at_once)))):
        step += at_once


# Dying after an answer differs from dying before the next request only where requests run side by side.
@pytest.mark.parametrize("after", [False, True], ids=["before the request", "after its answer"])
async def test_a_crash_at_any_step_of_making_is_repaired_by_making_it_again(
    keeper, admin, sandbox_plan, after
):
    tried = []

    async def crash_at(step):
        plan = sandbox_plan()
        try:
            await prepared(CrashingClient(keeper, step, after=after), plan)
        except Crash:
            tried.append(step)
        else:
            await ensure_removed(keeper, plan)
            return False
        await prepared(keeper, plan)
        rails = await rails_of(admin, plan)
        counts = [
            len(rails[kind]) for kind in ("NetworkPolicy", "ResourceQuota", "LimitRange", "RoleBinding")
        ]
        assert counts == [4, 1, 1, 1]
        assert set(rails["ServiceAccount"]) >= {"default", "student"}
        token = await student_token(keeper, plan)
        assert await status_of(keeper, "GET", POD.collection(plan.namespace), token=token.value) == 200
        await ensure_removed(keeper, plan)
        return True

    await crashing_everywhere(crash_at)
    assert len(tried) >= 14, "every request of a making was died at"


async def test_a_crash_at_any_step_of_removing_is_repaired_by_removing_again(keeper, admin, sandbox_plan):
    tried = []

    async def crash_at(step):
        plan = sandbox_plan()
        made = await prepared(keeper, plan)
        await apply_start(keeper, plan, START)
        try:
            await ensure_removed(CrashingClient(keeper, step, after=False), plan, uid=made.namespace_uid)
        except Crash:
            tried.append(step)
        else:
            return False
        await ensure_removed(keeper, plan, uid=made.namespace_uid)
        assert await names(admin, POD, plan.namespace) == set()
        assert plan.toolbox not in await names(admin, POD, TOOLBOX_NAMESPACE)
        assert f"{plan.namespace}-nodes" not in await names(admin, CLUSTER_ROLE_BINDING, None)
        found = await admin.request("GET", NAMESPACE.everywhere)
        left = [one for one in found["items"] if one["metadata"]["name"] == plan.namespace]
        assert all(one["metadata"].get("deletionTimestamp") for one in left), "gone, or on its way"
        return True

    await crashing_everywhere(crash_at)
    assert len(tried) >= 18, "every request of a removal was died at"


async def test_removing_takes_everything_and_the_key_first(keeper, admin, sandbox_plan):
    plan = sandbox_plan()
    made = await prepared(keeper, plan)
    await apply_start(keeper, plan, START)
    token = (await student_token(keeper, plan)).value
    assert await status_of(keeper, "GET", POD.collection(plan.namespace), token=token) == 200
    await ensure_removed(keeper, plan, uid=made.namespace_uid)
    assert await status_of(keeper, "GET", POD.collection(plan.namespace), token=token) in (401, 403)
    await ensure_removed(keeper, plan, uid=made.namespace_uid, wait=True)
    assert plan.namespace not in await names(admin, NAMESPACE, None)
    assert plan.toolbox not in await names(admin, POD, TOOLBOX_NAMESPACE)
    assert plan.toolbox not in await names(admin, NETWORK_POLICY, TOOLBOX_NAMESPACE)
    assert f"{plan.namespace}-nodes" not in await names(admin, CLUSTER_ROLE_BINDING, None)
    await ensure_removed(keeper, plan, uid=made.namespace_uid)


async def test_only_the_recorded_uid_is_removed(keeper, admin, sandbox_plan):
    plan = sandbox_plan()
    await prepared(keeper, plan)
    await apply_start(keeper, plan, START)
    with pytest.raises(SandboxMismatch, match="left alone"):
        await ensure_removed(keeper, plan, uid="00000000-0000-0000-0000-000000000000")
    assert await names(admin, POD, plan.namespace) == {"storefront"}


async def test_reset_brings_the_start_back_and_keeps_the_guard_rails(keeper, admin, sandbox_plan):
    plan = sandbox_plan()
    await prepared(keeper, plan)
    await apply_start(keeper, plan, START)
    await pod_ready(admin, plan.namespace, "storefront")
    token = (await student_token(keeper, plan)).value
    mine = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine}\n"
    await apply(
        keeper, token, plan.namespace, parse_manifests(DEPLOYMENT_TEXT + "---\n" + mine), dry_run=False
    )
    await deployment_ready(admin, plan.namespace, "shop", 2)
    rails, before = await rails_of(admin, plan), await uids(admin, POD, plan.namespace)

    started = time.monotonic()
    emptied = await reset(keeper, plan)
    await apply_start(keeper, plan, START)
    accepted = time.monotonic() - started
    await wait_until_clean(keeper, plan, emptied)

    print(f"reset and start accepted in {accepted * 1000:.0f} ms")
    assert accepted < 2.0  # a fraction of a second alone; this machine is shared while testing
    pods = await uids(admin, POD, plan.namespace)
    assert set(pods) == {"storefront"}
    assert pods["storefront"] not in before.values()
    assert await names(admin, DEPLOYMENT, plan.namespace) == set()
    assert await names(admin, REPLICA_SET, plan.namespace) == set()
    assert await names(admin, SERVICE, plan.namespace) == {"storefront"}
    assert await names(admin, CONFIG_MAP, plan.namespace) == {"kube-root-ca.crt"}
    assert await rails_of(admin, plan) == rails
    await pod_ready(admin, plan.namespace, "storefront")


async def test_reset_again_and_again_with_a_full_sandbox(keeper, admin, sandbox_plan):
    plan = sandbox_plan(pods=2, memory=64 * 2**20)
    await prepared(keeper, plan)
    token = (await student_token(keeper, plan)).value
    full = parse_manifests(DEPLOYMENT_TEXT.replace("replicas: 2", "replicas: 9"))
    for _ in range(3):
        await apply(keeper, token, plan.namespace, full, dry_run=False)
        await asyncio.sleep(0.5)
        emptied = await reset(keeper, plan)
        await apply_start(keeper, plan, START)
        await wait_until_clean(keeper, plan, emptied)
        assert await names(admin, POD, plan.namespace) == {"storefront"}


async def test_a_deployment_as_in_any_book_runs(keeper, admin, sandbox_plan):
    """No securityContext, no resources, no pull policy: filled in by the cluster."""
    plan = sandbox_plan()
    await prepared(keeper, plan)
    token = (await student_token(keeper, plan)).value
    await apply(keeper, token, plan.namespace, parse_manifests(DEPLOYMENT_TEXT), dry_run=False)
    await deployment_ready(admin, plan.namespace, "shop", 2)
    listed = await admin.request("GET", POD.collection(plan.namespace))
    pod = listed["items"][0]["spec"]
    container = pod["containers"][0]
    assert pod["securityContext"] == {
        "runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert container["resources"]["limits"]["memory"] == str(plan.pod_memory)
    assert not [volume for volume in pod.get("volumes") or [] if "projected" in volume], "no token mounted"


async def test_a_toolbox_that_ended_is_replaced(keeper, admin, sandbox_plan):
    plan = sandbox_plan()
    await prepared(keeper, plan)
    path = POD.path(TOOLBOX_NAMESPACE, plan.toolbox)
    uid = (await admin.request("GET", path))["metadata"]["uid"]
    await admin.request("DELETE", path)
    await prepared(keeper, plan)
    assert (await admin.request("GET", path))["metadata"]["uid"] != uid
    await wait_until_gone(admin, POD, TOOLBOX_NAMESPACE, plan.toolbox, uid, timeout=20)
