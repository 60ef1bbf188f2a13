"""What a student does reaches the cluster as that student, and comes back from the audit log as an action."""

import asyncio
import contextlib
import subprocess
import time

import pytest

from sandbox.applying import ManifestRefused, apply, parse_manifests
from sandbox.auditing import tail
from sandbox.cluster.kinds import DEPLOYMENT, POD
from sandbox.cluster.kubeconfig import kubeconfig_for
from sandbox.errors import NotFound
from sandbox.faults import kill_pod, pick_target
from sandbox.preparing import ensure_guard_rails, ensure_namespace
from sandbox.starting import apply_start
from sandbox.tokens import student_token
from tests.cluster.real import DEPLOYMENT_TEXT, START, names

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]


@pytest.fixture
async def namespace(keeper, sandbox_plan):
    plan = sandbox_plan(pods=2, memory=64 * 2**20)
    await ensure_namespace(keeper, plan)
    await ensure_guard_rails(keeper, plan)
    return plan


@pytest.fixture
async def token(keeper, namespace):
    return (await student_token(keeper, namespace)).value


@contextlib.asynccontextmanager
async def actions_of(embedded, plan):
    seen = []
    log = embedded.home / "shared/audit/audit.log"
    task = asyncio.create_task(
        tail(log, lambda one: seen.append(one) if one.namespace == plan.namespace else None)
    )
    await asyncio.sleep(0.2)

    async def wait(count):
        async with asyncio.timeout(5):
            while len(seen) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        return [(one.verb, one.resource, one.name, one.code, one.through) for one in seen]

    try:
        yield wait
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_every_way_of_acting_is_told_apart(embedded, keeper, runner, namespace, token, tmp_path):
    config = tmp_path / "config"
    config.write_text(
        kubeconfig_for(
            server=keeper.base_url,
            authority=keeper.authority,
            namespace=namespace.namespace,
            user="student",
            token=token,
        )
    )

    def kubectl(*arguments):
        command = [embedded.product.kubectl_path, f"--kubeconfig={config}", *arguments]
        return asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, timeout=30)

    async with actions_of(embedded, namespace) as actions:
        await apply_start(keeper, namespace, START)  # the platform's own: no action
        await apply(keeper, token, namespace.namespace, parse_manifests(DEPLOYMENT_TEXT), dry_run=True)
        await apply(keeper, token, namespace.namespace, parse_manifests(DEPLOYMENT_TEXT), dry_run=False)
        await kubectl("get", "pods")
        await kubectl("scale", "deployment/shop", "--replicas=1")
        await kubectl("delete", "pod", "storefront", "--wait=false", "--grace-period=1")
        listed = await keeper.request("GET", POD.collection(namespace.namespace))
        (target, *_) = pick_target("pod:app=shop", listed["items"], seed="x")
        await kill_pod(runner, namespace.namespace, target["metadata"]["name"], 1, token=token)
        seen = await actions(4)
    assert seen == [
        ("create", "deployments", "shop", 201, "editor"),
        ("scale", "deployments", "shop", 200, "terminal"),
        ("delete", "pods", "storefront", 200, "terminal"),
        ("delete", "pods", target["metadata"]["name"], 200, "picture"),
    ]


async def test_an_action_comes_quickly(embedded, keeper, namespace, token):
    async with actions_of(embedded, namespace) as actions:
        started = time.monotonic()
        text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
        await apply(keeper, token, namespace.namespace, parse_manifests(text), dry_run=False)
        await actions(1)
        assert time.monotonic() - started - 0.5 < 1.5  # actions() waits 0.5 s for what should not come


async def test_kill_pod_by_the_platform_and_what_is_gone(keeper, runner, namespace):
    await apply_start(keeper, namespace, START)
    await kill_pod(runner, namespace.namespace, "storefront", 0)
    assert "storefront" not in await names(keeper, POD, namespace.namespace)
    with pytest.raises(NotFound):
        await kill_pod(runner, namespace.namespace, "storefront", 0)


POD_TEXT = """\
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
    - name: app
      image: app/storefront:1.0
"""
SERVICE_TEXT = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec:\n  ports: [{port: 80}]\n"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (DEPLOYMENT_TEXT.replace("replicas: 2", "replicas: three"), 5, "wants a number, found `three`"),
        (DEPLOYMENT_TEXT.replace("replicas: 2", "replcas: 2"), 5, "Did you mean `replicas`?"),
        (DEPLOYMENT_TEXT.replace("replicas: 2", "replicas: -2"), 5, "greater than or equal to 0"),
        (DEPLOYMENT_TEXT.replace("app/storefront:1.0", "nginx:1.27"), 12, "is not one of this course"),
        (DEPLOYMENT_TEXT.replace("app/storefront:1.0", "app/storefront"), 12, "is not one of this course"),
        (DEPLOYMENT_TEXT.replace("app/storefront:1.0", "app/storefront:latest"), 12, "is not one of this course"),
        (DEPLOYMENT_TEXT + "          securityContext: {privileged: true}\n", 13, "whole machine"),
        (POD_TEXT + "      securityContext: {privileged: true}\n", 8, "whole machine"),
        (POD_TEXT + "      resources: {limits: {memory: 1Gi}}\n", 8, "the whole sandbox has"),
        (POD_TEXT + "      resources: {limits: {memory: 1Gb}}\n", 8, "no quantity"),
        (POD_TEXT + "      env: [{name: A, value: 8}]\n", 8, "put it in quotes"),
        (POD_TEXT + "  nodeName: worker-1\n", 8, "skips the scheduler"),
        (POD_TEXT + "  terminationGracePeriodSeconds: 600\n", 8, "at most 60"),
        (POD_TEXT.replace("{name: p}", "{name: p, finalizers: [a.example/x]}"), 3, "finalizers"),
        (SERVICE_TEXT + "  type: NodePort\n", 6, "use `ClusterIP`"),
        (SERVICE_TEXT + "  externalIPs: [10.0.0.1]\n", 6, "externalIPs"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {}\n", 4, "`containers` is missing"),
        ("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r}\nrules: []\n", 2, "no right"),
        ("apiVersion: v1\nkind: Namespace\nmetadata: {name: r}\n", 2, "no right"),
        ("apiVersion: v1\nkind: Deployment\nmetadata: {name: r}\n", 1, "apps/v1"),
        (POD_TEXT.replace("{name: p}", "{name: p, namespace: kube-system}"), 3, "is not yours"),
    ],
)  # fmt: skip
async def test_what_the_cluster_refuses_is_said_with_its_line(keeper, namespace, token, text, line, words):
    for dry_run in (True, False):
        with pytest.raises(ManifestRefused) as caught:
            await apply(keeper, token, namespace.namespace, parse_manifests(text), dry_run=dry_run)
        assert words in caught.value.text
        assert caught.value.line == line
    assert await names(keeper, POD, namespace.namespace) == set()
    assert await names(keeper, DEPLOYMENT, namespace.namespace) == set()


async def test_what_cannot_be_changed_says_how_to_go_on(keeper, namespace, token):
    await apply(keeper, token, namespace.namespace, parse_manifests(DEPLOYMENT_TEXT), dry_run=False)
    other = DEPLOYMENT_TEXT.replace("app: shop", "app: other")
    with pytest.raises(ManifestRefused, match="delete Deployment `shop` and apply again"):
        await apply(keeper, token, namespace.namespace, parse_manifests(other), dry_run=False)


async def test_a_full_sandbox_says_so_with_numbers(keeper, namespace, token):
    await apply(
        keeper, token, namespace.namespace,
        parse_manifests("---\n".join(POD_TEXT.replace("name: p}", f"name: p{n}}}") for n in range(4))), dry_run=False,
    )  # fmt: skip
    with pytest.raises(ManifestRefused, match="4 of at most 4 Pods are taken, and this needs 1 more"):
        await apply(keeper, token, namespace.namespace, parse_manifests(POD_TEXT), dry_run=False)
