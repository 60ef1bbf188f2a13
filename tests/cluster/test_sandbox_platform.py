"""The platform's own part: installed twice is installed once, and each account may do just its own."""

import pytest

from sandbox.admission import FENCE, VALIDATING
from sandbox.cluster.client import MERGE_PATCH, ClusterClient
from sandbox.cluster.kinds import CLUSTER_ROLE, POD, VALIDATING_POLICY
from sandbox.installing import ensure_platform, wait_for_policies
from sandbox.prober_pod import wait_for_prober
from tests.cluster.real import status_of, uids

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]


@pytest.fixture
async def observer(embedded):
    client = ClusterClient.from_kubeconfig(
        embedded.product.scoped("observer"), user_agent="glasshull-test-observer"
    )
    yield client
    await client.close()


async def test_installing_again_changes_nothing(admin):
    kinds = ((CLUSTER_ROLE, None), (VALIDATING_POLICY, None), (POD, "glasshull-system"))
    before = [await uids(admin, kind, namespace) for kind, namespace in kinds]
    await ensure_platform(admin)
    await wait_for_prober(admin)
    assert [await uids(admin, kind, namespace) for kind, namespace in kinds] == before


async def test_the_policies_are_in_force(admin):
    await wait_for_policies(admin, timeout=10)


async def test_the_policies_compile_without_a_warning(admin):
    listed = await admin.request("GET", VALIDATING_POLICY.everywhere)
    ours = [one for one in listed["items"] if one["metadata"]["name"].startswith("glasshull-")]
    assert {one["metadata"]["name"] for one in ours} == {*VALIDATING, FENCE}
    for one in ours:
        assert not one["status"].get("typeChecking", {}).get("expressionWarnings")


async def test_the_observer_sees_and_changes_nothing(observer):
    for path in (
        "/api/v1/pods",
        "/apis/apps/v1/deployments",
        "/api/v1/nodes",
        "/apis/discovery.k8s.io/v1/endpointslices",
    ):
        assert await status_of(observer, "GET", path) == 200
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    assert await status_of(observer, "POST", "/api/v1/namespaces/default/configmaps", body=config) == 403
    assert await status_of(observer, "DELETE", "/api/v1/namespaces/kube-system/pods/x") == 403
    lease = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/x"
    assert await status_of(observer, "PATCH", lease, body={"spec": {}}, content_type=MERGE_PATCH) == 403


async def test_the_keeper_cannot_make_itself_more(keeper, admin):
    rbac = "/apis/rbac.authorization.k8s.io/v1"

    def binding(role):
        return {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "probe"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "glasshull:keeper"}],
        }  # fmt: skip

    path, dry = f"{rbac}/namespaces/glasshull-trial/rolebindings", {"dryRun": "All"}
    assert await status_of(keeper, "POST", path, body=binding("cluster-admin"), params=dry) == 403
    assert await status_of(keeper, "POST", path, body=binding("glasshull:student"), params=dry) == 201, (
        "control"
    )
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "probe"},
        "rules": [],
    }
    assert await status_of(keeper, "POST", f"{rbac}/clusterroles", body=role, params=dry) == 403
    assert await status_of(keeper, "GET", "/api/v1/namespaces/kube-system/pods/x/log") == 403


async def test_the_runner_speaks_to_ours_and_only_kills_elsewhere(runner):
    assert await status_of(runner, "GET", "/api/v1/pods") == 200
    for path in ("/api/v1/namespaces/kube-system/secrets", "/api/v1/namespaces", "/api/v1/nodes"):
        assert await status_of(runner, "GET", path) == 403
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    assert await status_of(runner, "POST", "/api/v1/namespaces/default/configmaps", body=config) == 403
