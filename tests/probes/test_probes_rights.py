# ruff: noqa: E501  (tables read better in one line)
"""P02 to P06, P28, P29: what a student's token opens, and what it does not. Each with its positive control."""

import asyncio

import pytest

from sandbox.cluster.client import MERGE_PATCH
from sandbox.cluster.kinds import NAMESPACE, POD, ApiKind
from sandbox.removing import ensure_removed
from tests.cluster.real import status_of, uids
from tests.probes.conftest import make_student

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]

RBAC = "rbac.authorization.k8s.io/v1"
KINDS = [
    ApiKind("Pod", "pods"), ApiKind("Service", "services"), ApiKind("ConfigMap", "configmaps"), ApiKind("Secret", "secrets"),
    ApiKind("ServiceAccount", "serviceaccounts"), ApiKind("ResourceQuota", "resourcequotas"),
    ApiKind("LimitRange", "limitranges"), ApiKind("Deployment", "deployments", "apps/v1"),
    ApiKind("ReplicaSet", "replicasets", "apps/v1"), ApiKind("StatefulSet", "statefulsets", "apps/v1"),
    ApiKind("Job", "jobs", "batch/v1"), ApiKind("NetworkPolicy", "networkpolicies", "networking.k8s.io/v1"),
    ApiKind("Role", "roles", RBAC), ApiKind("RoleBinding", "rolebindings", RBAC),
]  # fmt: skip


def requests_on(kind, namespace, name):
    """The seven verbs."""
    collection, one = kind.collection(namespace), kind.path(namespace, name)
    body = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": name}}
    return [
        ("GET", one, {}),
        ("GET", collection, {}),
        ("GET", collection, {"params": {"watch": True, "timeoutSeconds": 1}}),
        ("POST", collection, {"body": body}),
        ("PUT", one, {"body": body}),
        ("PATCH", one, {"body": {"metadata": {"labels": {"x": "y"}}}, "content_type": MERGE_PATCH}),
        ("DELETE", one, {}),
    ]


async def test_p02_another_sandbox_is_closed(student, other, admin):
    before = {kind.name: await uids(admin, kind, other.namespace) for kind in KINDS}
    refused = [
        await student.status(method, path, **rest)
        for kind in KINDS
        for method, path, rest in requests_on(kind, other.namespace, "storefront")
    ]
    assert len(refused) == 14 * 7
    assert set(refused) == {403}
    after = {kind.name: await uids(admin, kind, other.namespace) for kind in KINDS}
    assert after == before, "zero objects changed"
    assert await other.status("GET", POD.path(other.namespace, "storefront")) == 200, "control: its owner may"


async def test_p02_nor_is_any_other_namespace_open(student):
    for namespace in ("kube-system", "default", "glasshull-system", "glasshull-toolboxes"):
        for path in (POD.collection(namespace), f"/api/v1/namespaces/{namespace}/secrets"):
            assert await student.status("GET", path) == 403
    assert await student.status("GET", "/api/v1/pods") == 403
    assert await student.status("GET", NAMESPACE.everywhere) == 403
    assert await student.status("GET", POD.collection(student.namespace)) == 200, "control"
    assert await student.status("GET", "/api/v1/nodes") == 200, "control: this lesson may see nodes"


async def test_p02_nodes_only_where_the_lesson_says_so(keeper, sandbox_plan):
    without = await make_student(keeper, sandbox_plan(capabilities=()))
    assert await without.status("GET", "/api/v1/nodes") == 403
    assert await without.status("GET", POD.collection(without.namespace)) == 200, "control"


@pytest.mark.parametrize(
    ("what", "path", "body"),
    [
        ("bind cluster-admin", "/apis/{rbac}/namespaces/{ns}/rolebindings",
         {"kind": "RoleBinding", "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}}),
        ("a wider role", "/apis/{rbac}/namespaces/{ns}/roles",
         {"kind": "Role", "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}),
        ("a cluster role", "/apis/{rbac}/clusterroles",
         {"kind": "ClusterRole", "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}),
        ("a cluster binding", "/apis/{rbac}/clusterrolebindings",
         {"kind": "ClusterRoleBinding", "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}}),
    ],
)  # fmt: skip
async def test_p03_no_way_up_by_roles(student, admin, what, path, body):
    subject = {"kind": "ServiceAccount", "name": "student", "namespace": student.namespace}
    whole = {"apiVersion": RBAC, "metadata": {"name": "probe-up"}, **body}
    if "roleRef" in body:
        whole["subjects"] = [subject]
    target = path.format(rbac=RBAC, ns=student.namespace)
    assert await student.status("POST", target, body=whole, params={"dryRun": "All"}) == 403
    assert await status_of(admin, "POST", target, body=whole, params={"dryRun": "All"}) == 201, "control"


@pytest.mark.parametrize(
    "headers",
    [
        {"Impersonate-User": "admin", "Impersonate-Group": "system:masters"},
        {"Impersonate-User": "system:serviceaccount:kube-system:default"},
    ],
)
async def test_p03_no_way_up_by_impersonation(student, headers):
    client = student.client
    url = client.url("/api/v1/namespaces/kube-system/secrets")
    session = client.session_for(student.token)
    async with session.get(url, headers=client.headers(student.token) | headers) as answer:
        assert answer.status == 403
    mine = client.url(POD.collection(student.namespace))
    async with session.get(mine, headers=client.headers(student.token)) as answer:
        assert answer.status == 200, "control: the same request without them"


async def test_p04_no_other_tokens(student, keeper):
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    for account in ("default", "student"):
        path = f"/api/v1/namespaces/{student.namespace}/serviceaccounts/{account}/token"
        assert await student.status("POST", path, body=request) == 403
    assert (
        await status_of(
            keeper,
            "POST",
            f"/api/v1/namespaces/{student.namespace}/serviceaccounts/student/token",
            body=request,
        )
        == 201
    ), "control: the keeper may"


async def test_p04_no_token_that_never_expires(student):
    secrets = f"/api/v1/namespaces/{student.namespace}/secrets"
    account = {"kubernetes.io/service-account.name": "student"}

    def secret(kind):
        metadata = {"name": "forever", "annotations": account}
        return {"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": metadata}

    for kind in ("kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"):
        assert await student.status("POST", secrets, body=secret(kind)) == 422
    assert await student.status("POST", secrets, body=secret("Opaque")) == 201, "control"


async def test_p05_the_own_namespace_keeps_its_labels(student, admin):
    path = NAMESPACE.path(None, student.namespace)
    before = (await admin.request("GET", path))["metadata"]["labels"]
    for labels in ({"pod-security.kubernetes.io/enforce": "privileged"}, {"glasshull.dev/sandbox": None}):
        body = {"metadata": {"labels": labels}}
        assert await student.status("PATCH", path, body=body, content_type=MERGE_PATCH) == 403
    assert await student.status("DELETE", path) == 403
    assert (await admin.request("GET", path))["metadata"]["labels"] == before
    control = await status_of(
        admin, "PATCH", path, body={"metadata": {"labels": {"x": "y"}}}, content_type=MERGE_PATCH,
        params={"dryRun": "All"},
    )  # fmt: skip
    assert control == 200


@pytest.mark.parametrize(
    ("group", "plural", "name"),
    [
        ("/apis/networking.k8s.io/v1", "networkpolicies", "default-deny"),
        ("/api/v1", "resourcequotas", "sandbox"),
        ("/api/v1", "limitranges", "sandbox"),
        ("/apis/rbac.authorization.k8s.io/v1", "rolebindings", "student"),
        ("/api/v1", "serviceaccounts", "default"),
        ("/api/v1", "serviceaccounts", "student"),
    ],
)
async def test_p06_guard_rails_cannot_be_touched(student, admin, group, plural, name):
    collection = f"{group}/namespaces/{student.namespace}/{plural}"
    path = f"{collection}/{name}"
    before = (await admin.request("GET", path))["metadata"]["resourceVersion"]
    assert await student.status("DELETE", path) == 403
    assert await student.status("DELETE", collection) == 403
    body = {"metadata": {"labels": {"x": "y"}}}
    assert await student.status("PATCH", path, body=body, content_type=MERGE_PATCH) == 403
    found = await admin.request("GET", path)
    assert await student.status("PUT", path, body=found) == 403
    after = (await admin.request("GET", path))["metadata"]["resourceVersion"]
    assert after == before or plural == "resourcequotas", "a quota's status may be counted meanwhile"
    assert await status_of(admin, "DELETE", path, params={"dryRun": "All"}) == 200, (
        "control: an administrator may"
    )


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/nodes/worker-1/proxy/pods", "/logs/", "/api/v1/persistentvolumes", "/metrics", "/debug/pprof/",
        "/apis/certificates.k8s.io/v1/certificatesigningrequests", "/apis/storage.k8s.io/v1/storageclasses",
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    ],
)  # fmt: skip
async def test_p07_p29_the_cluster_itself_is_closed(student, path):
    assert await student.status("GET", path) == 403
    assert await student.status("GET", "/version") == 200, "control"


async def test_p07_no_proxy_even_into_the_own_sandbox(other):
    for tail in ("pods/storefront/proxy/", "services/storefront/proxy/"):
        assert await other.status("GET", f"/api/v1/namespaces/{other.namespace}/{tail}") == 403
    assert await other.status("GET", f"/api/v1/namespaces/{other.namespace}/pods/storefront") == 200, (
        "control"
    )


async def test_p28_a_copied_token_dies_with_its_sandbox(student, keeper):
    path = POD.collection(student.namespace)
    assert await student.status("GET", path) == 200, "control: before the end it opens"
    await ensure_removed(keeper, student.plan)
    assert await student.status("GET", path) in (401, 403)
    async with asyncio.timeout(60):
        while await student.status("GET", path) != 401:  # noqa: ASYNC110
            await asyncio.sleep(1)
