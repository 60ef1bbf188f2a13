# ruff: noqa: E501  (tables read better in one line)
"""P15, P18, P24, P26, P27: hostile objects. Each refused, by the cluster itself, and the harmless one taken."""

import asyncio
import copy

import pytest

from sandbox.cluster.kinds import DAEMON_SET, DEPLOYMENT, JOB, POD, SERVICE, STATEFUL_SET, ApiKind
from sandbox.errors import ApiError
from tests.cluster.real import names, status_of

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]

DRY = {"dryRun": "All"}
CRON_JOB = ApiKind("CronJob", "cronjobs", "batch/v1")
IMAGE = "app/storefront:1.0"


def pod(**spec):
    container = {"name": "app", "image": IMAGE, **spec.pop("container", {})}
    body = {"containers": [container], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "hostile"}, "spec": body}


def context(**values):
    return {"container": {"securityContext": values}}


def volume(**source):
    return {"volumes": [{"name": "v", **source}]}


HOSTILE = {
    "privileged": context(privileged=True),
    "allowPrivilegeEscalation": context(allowPrivilegeEscalation=True),
    "capability SYS_ADMIN": context(capabilities={"add": ["SYS_ADMIN"]}),
    "capability NET_RAW": context(capabilities={"add": ["NET_RAW"], "drop": ["ALL"]}),
    "capabilities kept": context(capabilities={"drop": ["KILL"]}),
    "root by container": context(runAsUser=0),
    "root by pod": {"securityContext": {"runAsUser": 0}},
    "root allowed": {"securityContext": {"runAsNonRoot": False}},
    "root allowed by container": context(runAsNonRoot=False),
    "seccomp unconfined": {"securityContext": {"seccompProfile": {"type": "Unconfined"}}},
    "seccomp unconfined by container": context(seccompProfile={"type": "Unconfined"}),
    "procMount": context(procMount="Unmasked"),
    "unsafe sysctl": {"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "65536"}]}},
    "hostNetwork": {"hostNetwork": True},
    "hostPID": {"hostPID": True},
    "hostIPC": {"hostIPC": True},
    "hostPort": {"container": {"ports": [{"containerPort": 80, "hostPort": 8080}]}},
    "hostPath": volume(hostPath={"path": "/"}),
    "hostPath of the runtime": volume(hostPath={"path": "/run/containerd/containerd.sock"}),
    "gitRepo": volume(gitRepo={"repository": "https://example.com/x"}),
    "nfs": volume(nfs={"server": "10.2.0.1", "path": "/"}),
    "privileged init container": {
        "initContainers": [{"name": "i", "image": IMAGE, "securityContext": {"privileged": True}}]
    },
    "root init container": {
        "initContainers": [{"name": "i", "image": IMAGE, "securityContext": {"runAsUser": 0}}]
    },
    "AppArmor off": {"securityContext": {"appArmorProfile": {"type": "Unconfined"}}},
    "SELinux type": {"securityContext": {"seLinuxOptions": {"type": "spc_t"}}},
}
assert len(HOSTILE) == 25


def template_of(kind, body):
    """The same Pod behind a controller."""
    labels = {"app": "hostile"}
    template = {"metadata": {"labels": labels}, "spec": copy.deepcopy(body["spec"])}
    spec = {"template": template}
    if kind in (JOB, CRON_JOB):
        template["spec"]["restartPolicy"] = "Never"
        if kind is CRON_JOB:
            spec = {"schedule": "* * * * *", "jobTemplate": {"spec": spec}}
    else:
        spec["selector"] = {"matchLabels": labels}
        if kind is STATEFUL_SET:
            spec["serviceName"] = "hostile"
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": "hostile"}, "spec": spec}


async def refused(student, kind, body, **arguments):
    """The refusal's text. Fails the test when there is none."""
    with pytest.raises(ApiError) as caught:
        await student.client.request(
            "POST", kind.collection(student.namespace), body=body, token=student.token, **arguments
        )
    assert caught.value.status in (403, 422), caught.value
    return caught.value.message


@pytest.mark.parametrize("attack", HOSTILE)
async def test_p15_hostile_pods_are_refused(student, attack):
    await refused(student, POD, pod(**copy.deepcopy(HOSTILE[attack])))
    assert await student.status("POST", POD.collection(student.namespace), body=pod(), params=DRY) == 201, (
        "control"
    )


TOLD_AT_ONCE = [
    "privileged", "allowPrivilegeEscalation", "capability SYS_ADMIN", "root by container", "root by pod", "hostNetwork",
    "hostPID", "hostPort", "hostPath", "privileged init container", "root allowed",
]  # fmt: skip


@pytest.mark.parametrize(
    "kind", [DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB, CRON_JOB], ids=lambda kind: kind.name
)
async def test_p15_and_behind_a_controller_they_are_told_at_once(student, kind):
    for attack in TOLD_AT_ONCE:
        message = await refused(student, kind, template_of(kind, pod(**copy.deepcopy(HOSTILE[attack]))))
        assert "glasshull-rules" in message
    control = template_of(kind, pod())
    assert (
        await student.status("POST", kind.collection(student.namespace), body=control, params=DRY) == 201
    ), "control"


async def test_p15_what_a_controller_is_given_never_becomes_a_pod(student, admin):
    """Templates that are not told at once are stopped when the Pod is made: an event, and no Pod."""
    for attack in ("seccomp unconfined", "SELinux type", "nfs", "unsafe sysctl"):
        body = template_of(DEPLOYMENT, pod(**copy.deepcopy(HOSTILE[attack])))
        body["metadata"]["name"] = "hostile-" + attack.replace(" ", "-").lower()
        assert await student.status("POST", DEPLOYMENT.collection(student.namespace), body=body) == 201
    control = template_of(DEPLOYMENT, pod())
    control["metadata"]["name"] = "control"
    assert await student.status("POST", DEPLOYMENT.collection(student.namespace), body=control) == 201

    async def made():
        return {
            name.rpartition("-")[0].rpartition("-")[0] for name in await names(admin, POD, student.namespace)
        }

    async with asyncio.timeout(20):
        while await made() != {"control"}:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    await asyncio.sleep(2)
    assert await made() == {"control"}
    events = await admin.request("GET", f"/api/v1/namespaces/{student.namespace}/events")
    assert [one for one in events["items"] if "violates PodSecurity" in (one.get("message") or "")]


@pytest.mark.parametrize(
    "image",
    ["nginx", "nginx:1.27", "app/storefront", "app/storefront:latest", "evil.example/app/storefront:1.0",
     "docker.io/library/nginx:1.27", "glasshull.local/toolbox:1", "registry.k8s.io/pause:3.10"],
)  # fmt: skip
async def test_p18_foreign_images_are_refused_everywhere(student, image):
    for body in (
        pod(container={"image": image}),
        pod(initContainers=[{"name": "i", "image": image}]),
    ):
        assert "is not one of this course" in await refused(student, POD, body)
        assert "is not one of this course" in await refused(
            student, DEPLOYMENT, template_of(DEPLOYMENT, body)
        )
    for good in (IMAGE, "docker.io/app/storefront:1.0"):
        body = pod(container={"image": good})
        assert (
            await student.status("POST", POD.collection(student.namespace), body=body, params=DRY) == 201
        ), "control"


async def test_p18_nor_by_a_debug_container(other):
    path = f"{POD.path(other.namespace, 'storefront')}/ephemeralcontainers"

    def body(image):
        secure = {
            "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True, "runAsUser": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        }  # fmt: skip
        return {
            "spec": {"ephemeralContainers": [{"name": "debug", "image": image, "securityContext": secure}]}
        }

    patch = {"content_type": "application/strategic-merge-patch+json", "params": DRY}
    assert await other.status("PATCH", path, body=body("nginx:1.27"), **patch) == 422
    assert await other.status("PATCH", path, body=body(IMAGE), **patch) == 200, "control"


async def test_p18_nor_by_changing_an_image_later(other):
    path = POD.path(other.namespace, "storefront")
    patch = {"content_type": "application/strategic-merge-patch+json", "params": DRY}

    def body(image):
        return {"spec": {"containers": [{"name": "app", "image": image}]}}

    assert await other.status("PATCH", path, body=body("nginx:1.27"), **patch) == 422
    assert await other.status("PATCH", path, body=body("app/storefront:1.1"), **patch) == 200, "control"


def service(**spec):
    return {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "hostile"},
        "spec": {"selector": {"app": "x"}, "ports": [{"port": 80}], **spec},
    }  # fmt: skip


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "NodePort"}, {"type": "LoadBalancer"}, {"type": "ExternalName", "externalName": "example.com"},
        {"externalIPs": ["10.2.0.1"]}, {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30000}]},
    ],
)  # fmt: skip
async def test_p24_services_reach_nobody_outside(student, spec):
    assert "glasshull-services" in await refused(student, SERVICE, service(**spec))
    assert (
        await student.status("POST", SERVICE.collection(student.namespace), body=service(), params=DRY) == 201
    ), "control"


async def test_p24_a_service_cannot_become_one_later(other):
    path = SERVICE.path(other.namespace, "storefront")
    patch = {"content_type": "application/merge-patch+json", "params": DRY}
    assert await other.status("PATCH", path, body={"spec": {"type": "NodePort"}}, **patch) == 422
    assert await other.status("PATCH", path, body={"spec": {"ports": [{"port": 81}]}}, **patch) == 200, (
        "control"
    )


async def test_p24_no_endpoints_of_ones_own(student):
    slices = f"/apis/discovery.k8s.io/v1/namespaces/{student.namespace}/endpointslices"
    body = {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "x"}, "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.2.0.1"]}], "ports": [],
    }  # fmt: skip
    assert await student.status("POST", slices, body=body) == 403
    assert await student.status("GET", slices) == 200, "control"


TOLERATE_ALL = {"tolerations": [{"operator": "Exists"}]}


@pytest.mark.parametrize(
    "spec",
    [
        {"nodeName": "worker-1"}, TOLERATE_ALL, {"tolerations": [{"key": "dedicated", "operator": "Exists"}]},
        {"tolerations": [{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}]},
        {"priorityClassName": "system-cluster-critical"}, {"priorityClassName": "system-node-critical"},
        {"terminationGracePeriodSeconds": 61}, {"terminationGracePeriodSeconds": 86400},
    ],
    ids=str,
)  # fmt: skip
async def test_p26_p27_nobody_pushes_ahead_or_stays_behind(student, spec):
    await refused(student, POD, pod(**spec))
    assert "glasshull-rules" in await refused(student, DEPLOYMENT, template_of(DEPLOYMENT, pod(**spec)))
    good = pod(terminationGracePeriodSeconds=60)
    assert await student.status("POST", POD.collection(student.namespace), body=good, params=DRY) == 201, (
        "control"
    )


async def test_p26_a_daemon_set_still_works(student, admin):
    """Its Pods carry tolerations that the controller adds: those are the cluster's own."""
    body = template_of(DAEMON_SET, pod())
    assert await student.status("POST", DAEMON_SET.collection(student.namespace), body=body) == 201
    async with asyncio.timeout(20):
        while len(await names(admin, POD, student.namespace)) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("plural", ["pods", "configmaps", "services"])
async def test_p27_no_finalizers(student, plural):
    spec = {"pods": pod()["spec"], "services": service()["spec"]}.get(plural)
    kind = {"pods": "Pod", "configmaps": "ConfigMap", "services": "Service"}[plural]
    body = {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": "stay", "finalizers": ["example.com/stay"]},
    }
    if spec:
        body["spec"] = spec
    collection = f"/api/v1/namespaces/{student.namespace}/{plural}"
    assert await student.status("POST", collection, body=body) == 422
    del body["metadata"]["finalizers"]
    assert await student.status("POST", collection, body=body, params=DRY) == 201, "control"


async def test_the_policies_act_in_sandboxes_only(admin):
    """Mutation check: outside a sandbox the same objects are taken, so it is the policy that refused them."""
    path = POD.collection("glasshull-trial")
    assert (
        await status_of(admin, "POST", path, body=pod(container={"image": "nginx:1.27"}), params=DRY) == 422
    )
    assert (
        await status_of(
            admin, "POST", POD.collection("default"), body=pod(container={"image": "nginx:1.27"}), params=DRY
        )
        == 201
    )
