"""The order of steps, and what is said when one does not succeed, on an API server in memory."""

import asyncio
import itertools

import pytest
from aiohttp import web

from sandbox import installing, preparing, prober_pod
from sandbox.errors import (
    ClusterUnavailable,
    NotFound,
    PolicyNotInForce,
    SandboxError,
    SandboxMismatch,
    SandboxNotReady,
)
from sandbox.plan import plan_for
from sandbox.preparing import Filling, ensure_sandbox, hand_out_key
from sandbox.removing import ensure_removed
from sandbox.resetting import reset
from sandbox.starting import apply_start
from tests.sandbox.fake_api import fake_api, status, stream

PLAN = plan_for("a", pods=2, memory=64 * 2**20, cpu=0.2)
NS = f"/api/v1/namespaces/{PLAN.namespace}"
TOOLBOX = f"/api/v1/namespaces/glasshull-toolboxes/pods/{PLAN.toolbox}"
QUOTA = f"{NS}/resourcequotas/sandbox"


class TinyCluster:
    """Objects by path. Enough of an API server to apply, read, list, watch and delete."""

    def __init__(self, *, counts_quota=True, waiting=None):
        self.objects, self.log = {}, []
        self.counts_quota, self.waiting = counts_quota, waiting
        self.numbers = itertools.count(100)
        self.fails = {}

    async def __call__(self, request, asked):
        self.log.append(f"{asked.method} {asked.path}")
        if (code := self.fails.get(f"{asked.method} {asked.path}")) is not None:
            return status(code, "Why", "told to")
        if asked.path.endswith("/token"):
            return web.json_response(
                {"status": {"token": "key", "expirationTimestamp": "2026-11-24T12:00:00Z"}}, status=201
            )
        if asked.path in ("/api/v1", "/apis/apps/v1"):
            listed = [{"kind": "Pod", "name": "pods", "namespaced": True}]
            return web.json_response({"kind": "APIResourceList", "resources": listed})
        return await getattr(self, asked.method.lower())(request, asked)

    async def patch(self, request, asked):
        known = self.objects.get(asked.path)
        body = asked.json
        body["metadata"] |= {"uid": f"uid-{next(self.numbers)}", "resourceVersion": str(next(self.numbers))}
        if known:
            body["metadata"]["uid"] = known["metadata"]["uid"]
        if body["kind"] == "ResourceQuota" and self.counts_quota:
            body["status"] = {"hard": body["spec"]["hard"], "used": {"pods": "0"}}
        if body["kind"] == "Pod":
            state = {"waiting": {"reason": self.waiting}} if self.waiting else {"running": {}}
            body["status"] = {
                "phase": "Running",
                "containerStatuses": [{"image": "toolbox:1", "state": state}],
            }
        self.objects[asked.path] = body
        return web.json_response(body, status=200 if known else 201)

    async def get(self, request, asked):
        if asked.query.get("watch"):
            return await stream(request, then="hold")
        if asked.path in self.objects:
            return web.json_response(self.objects[asked.path])
        if asked.path.rpartition("/")[2] in self.plurals():
            name = asked.query.get("fieldSelector", "").removeprefix("metadata.name=")
            found = [one for path, one in self.objects.items() if path.rpartition("/")[0] == asked.path]
            items = [one for one in found if not name or one["metadata"]["name"] == name]
            return web.json_response({"kind": "List", "metadata": {"resourceVersion": "1"}, "items": items})
        return status(404, "NotFound", "no such thing")

    async def delete(self, request, asked):
        gone = [path for path in self.objects if path == asked.path or path.rpartition("/")[0] == asked.path]
        if not gone and asked.path.rpartition("/")[2] not in self.plurals():
            return status(404, "NotFound", "no such thing")
        items = [self.objects.pop(path) for path in gone]
        return web.json_response({"kind": "List", "items": items})

    @staticmethod
    def plurals():
        return {
            "pods", "events", "services", "configmaps", "secrets", "persistentvolumeclaims", "poddisruptionbudgets",
            "deployments", "replicasets", "statefulsets", "daemonsets", "jobs", "cronjobs", "resourcequotas",
            "horizontalpodautoscalers", "namespaces",
        }  # fmt: skip

    def at(self, entry):
        """When it was asked, as a position in the log."""
        return self.log.index(entry)


async def no_file(*_, mode):
    assert mode == 0o600


async def test_no_token_before_the_guard_rails_are_confirmed():
    cluster, written = TinyCluster(), []

    async def write(client, namespace, pod, path, content, *, mode):
        written.append((namespace, pod, path, b"key" in content))

    async with fake_api(cluster) as api, api.client() as client:
        made = await ensure_sandbox(client, PLAN, lambda *_: None, write_file=write)
    token = cluster.at(f"POST {NS}/serviceaccounts/student/token")
    applied = [
        number
        for number, entry in enumerate(cluster.log)
        if entry.startswith("PATCH") and PLAN.namespace in entry
    ]
    assert token > max(applied)
    assert token > cluster.at(f"GET {NS}/resourcequotas")
    assert made.namespace_uid == cluster.objects[NS]["metadata"]["uid"]
    assert written == [("glasshull-toolboxes", PLAN.toolbox, "/home/student/.kube/config", True)]


async def test_a_quota_that_is_never_counted_gives_no_token(monkeypatch):
    monkeypatch.setattr(preparing, "GUARD_RAILS_TIMEOUT_S", 0.3)
    cluster = TinyCluster(counts_quota=False)
    async with fake_api(cluster) as api, api.client() as client:
        with pytest.raises(SandboxNotReady, match="ResourceQuota"):
            await ensure_sandbox(client, PLAN, lambda *_: None, write_file=no_file)
    assert not [entry for entry in cluster.log if entry.endswith("/token")]


async def test_a_toolbox_without_its_image_says_what_to_do():
    written = []

    async def write(*arguments, mode):
        written.append(arguments)

    async with fake_api(TinyCluster(waiting="ErrImagePull")) as api, api.client() as client:
        with pytest.raises(SandboxError, match=r"manage\.py up"):
            await ensure_sandbox(client, PLAN, lambda *_: None, write_file=write)
    assert written == [], "no key goes into a toolbox that does not run"


async def test_a_toolbox_that_does_not_start_is_not_ready(monkeypatch):
    monkeypatch.setattr(preparing, "TOOLBOX_TIMEOUT_S", 0.3)
    cluster = TinyCluster(waiting="ContainerCreating")
    async with fake_api(cluster) as api, api.client() as client:
        with pytest.raises(SandboxNotReady, match="toolbox"):
            await ensure_sandbox(client, PLAN, lambda *_: None, write_file=no_file)


async def test_a_namespace_on_its_way_out_is_not_ready():
    cluster = TinyCluster()
    labels = {"glasshull.dev/sandbox": PLAN.key}
    cluster.objects[NS] = {
        "metadata": {"name": PLAN.namespace, "uid": "u", "labels": labels, "deletionTimestamp": "now"}
    }
    async with fake_api(cluster) as api, api.client() as client:
        with pytest.raises(SandboxNotReady, match="still being removed"):
            await ensure_sandbox(client, PLAN, lambda *_: None, write_file=no_file)


async def test_phases_begin_and_end_and_a_failed_one_does_not_end(monkeypatch):
    phases, cluster = [], TinyCluster()
    cluster.fails[f"PATCH {QUOTA}"] = 503
    async with fake_api(cluster) as api, api.client() as client:
        with pytest.raises(ClusterUnavailable):
            await ensure_sandbox(
                client, PLAN, lambda name, ms: phases.append((name, ms is not None)), write_file=no_file
            )
    assert ("namespace", True) in phases
    assert ("guard rails", False) in phases
    assert ("guard rails", True) not in phases
    assert ("your key", False) not in phases


SHOP = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {}}
SHOP_PATH = f"{NS}/pods/web"
FILLING = Filling({"shop.yaml": "kind: Pod\n"}, [SHOP])


async def test_objects_wait_for_the_guard_rails_and_files_for_the_toolbox():
    cluster, written = TinyCluster(), {}

    async def write(_client, _namespace, pod, path, content, *, mode):
        assert pod == PLAN.toolbox
        written[path] = (content[:9], oct(mode))

    async with fake_api(cluster) as api, api.client() as client:
        await ensure_sandbox(client, PLAN, lambda *_: None, FILLING, write_file=write)
    assert cluster.at(f"PATCH {SHOP_PATH}") > cluster.at(f"GET {NS}/resourcequotas")
    assert written["shop.yaml"] == (b"kind: Pod", "0o644")
    assert written["/home/student/.kube/config"][1] == "0o600"


async def test_nothing_is_laid_into_a_sandbox_whose_guard_rails_do_not_stand():
    cluster = TinyCluster()
    cluster.fails[f"PATCH {QUOTA}"] = 503
    async with fake_api(cluster) as api, api.client() as client:
        with pytest.raises(ClusterUnavailable):
            await ensure_sandbox(client, PLAN, lambda *_: None, FILLING, write_file=no_key)
    assert SHOP_PATH not in cluster.objects


async def no_key(_client, _namespace, _pod, path, _content, *, mode):
    assert mode == 0o644, f"no key may go to {path}"


@pytest.mark.parametrize("broken", ["namespace", "quota", "key", "file", "object"])
async def test_F21_a_sandbox_broken_off_at_any_step_is_made_whole_by_the_next_try(broken):
    cluster, written, breaks = TinyCluster(), [], [broken]
    place = {"namespace": f"PATCH {NS}", "quota": f"PATCH {QUOTA}", "object": f"PATCH {SHOP_PATH}"}
    if broken in place:
        cluster.fails[place[broken]] = 503

    async def write(_client, _namespace, _pod, path, _content, *, mode):
        if breaks and breaks[0] == ("key" if mode == 0o600 else "file"):
            breaks.clear()
            raise ClusterUnavailable("the stream broke")
        written.append(path)

    async with fake_api(cluster) as api, api.client() as client:
        with pytest.raises(ClusterUnavailable):
            await ensure_sandbox(client, PLAN, lambda *_: None, FILLING, write_file=write)
        cluster.fails.clear()
        await ensure_sandbox(client, PLAN, lambda *_: None, FILLING, write_file=write)
    assert SHOP_PATH in cluster.objects
    assert {"shop.yaml", "/home/student/.kube/config"} <= set(written)


async def test_a_key_is_renewed_by_itself():
    cluster = TinyCluster()
    async with fake_api(cluster) as api, api.client() as client:
        token = await hand_out_key(client, PLAN, write_file=no_file)
    assert (token.value, token.expires) == ("key", 1795521600.0)
    assert "key" not in repr(token), "tokens stay out of logs"


async def filled(client, cluster):
    await ensure_sandbox(client, PLAN, lambda *_: None, Filling(objects=[SHOP]), write_file=no_file)
    cluster.log.clear()


async def test_reset_empties_makers_first_and_keeps_the_rails():
    cluster = TinyCluster()
    async with fake_api(cluster) as api, api.client() as client:
        await filled(client, cluster)
        rails = {path for path in cluster.objects if "web" not in path}
        emptied = await reset(client, PLAN)
    apps = f"/apis/apps/v1/namespaces/{PLAN.namespace}"
    assert (
        cluster.at(f"DELETE {apps}/deployments")
        < cluster.at(f"DELETE {apps}/replicasets")
        < cluster.at(f"DELETE {NS}/pods")
    )
    assert set(cluster.objects) == rails
    assert len(emptied.uids) == 1
    deleted = {asked.path: asked for asked in api.asked if asked.method == "DELETE"}
    assert deleted[f"{NS}/pods"].json["gracePeriodSeconds"] == 0
    assert deleted[f"{NS}/configmaps"].query == {"fieldSelector": "metadata.name!=kube-root-ca.crt"}


async def test_removing_takes_the_key_then_pods_then_the_namespace():
    cluster = TinyCluster()
    async with fake_api(cluster) as api, api.client() as client:
        await filled(client, cluster)
        uid = cluster.objects[NS]["metadata"]["uid"]
        await ensure_removed(client, PLAN, uid=uid)
        deletion = next(asked for asked in api.asked if asked.method == "DELETE" and asked.path == NS)
        assert deletion.json["preconditions"] == {"uid": uid}
        order = [cluster.at(f"DELETE {path}") for path in (f"{NS}/serviceaccounts/student", f"{NS}/pods", NS)]
        assert order == sorted(order)
        assert TOOLBOX not in cluster.objects
        await ensure_removed(client, PLAN, uid=uid)


@pytest.mark.parametrize(("uid", "labels"), [("another", {}), (None, {"glasshull.dev/sandbox": "somebody"})])
async def test_what_is_not_ours_is_left_alone(uid, labels):
    cluster = TinyCluster()
    async with fake_api(cluster) as api, api.client() as client:
        await filled(client, cluster)
        cluster.objects[NS]["metadata"]["labels"] |= labels
        with pytest.raises(SandboxMismatch, match="left alone"):
            await ensure_removed(client, PLAN, uid=uid)
    assert NS in cluster.objects
    assert f"{NS}/pods/web" in cluster.objects


async def test_the_start_waits_for_a_quota_that_still_counts_what_is_gone():
    cluster, refusals = TinyCluster(), [1, 1]

    async def answer(request, asked):
        if asked.method == "PATCH" and refusals:
            refusals.pop()
            return status(403, "Forbidden", "pods is forbidden: exceeded quota: sandbox")
        return await cluster(request, asked)

    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {}}
    async with fake_api(answer) as api, api.client() as client:
        (applied,) = await apply_start(client, PLAN, [pod])
    assert applied["metadata"]["namespace"] == PLAN.namespace
    assert api.asked[-1].query["fieldManager"] == "glasshull-start"


async def test_a_start_the_cluster_refuses_is_told_at_once():
    async def answer(request, asked):
        if asked.method == "GET":
            return await TinyCluster()(request, asked)
        return status(404, "NotFound", "namespace not found")

    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {}}
    async with fake_api(answer) as api, api.client() as client:
        with pytest.raises(NotFound):
            await apply_start(client, PLAN, [pod])


async def test_policies_that_do_not_act_are_noticed(monkeypatch):
    """An API server that takes everything: no sandbox may be handed out there."""
    monkeypatch.setattr(installing, "POLICIES_RETRY_S", 0.01)

    async def takes_all(request, asked):
        return web.json_response(asked.json, status=201)

    async with fake_api(takes_all) as api, api.client() as client:
        with pytest.raises(PolicyNotInForce, match="glasshull-rules"):
            await installing.wait_for_policies(client, timeout=0.2)
    assert all(asked.query == {"dryRun": "All"} for asked in api.asked)


async def test_a_cluster_that_refuses_everything_is_no_proof_either(monkeypatch):
    monkeypatch.setattr(installing, "POLICIES_RETRY_S", 0.01)

    async def refuses_all(request, asked):
        return status(403, "Forbidden", "not you")

    async with fake_api(refuses_all) as api, api.client() as client:
        with pytest.raises(PolicyNotInForce):
            await installing.wait_for_policies(client, timeout=0.2)


async def test_the_prober_is_made_again_by_a_controller_and_the_bare_pod_of_old_goes():
    cluster = TinyCluster()
    bare = "/api/v1/namespaces/glasshull-system/pods/prober"
    async with fake_api(cluster) as api, api.client() as client:
        cluster.objects[bare] = {"metadata": {"name": "prober", "uid": "of-old"}}
        await prober_pod.ensure_prober(client)
        assert bare not in cluster.objects
        await prober_pod.ensure_prober(client)
        made = cluster.objects["/apis/apps/v1/namespaces/glasshull-system/deployments/prober"]
        assert made["spec"]["template"]["spec"]["containers"][0]["args"] == ["wait"]
    await asyncio.sleep(0)


def a_prober(name: str, *, ready: str = "True", made: str = "2026-01-01T00:00:00Z", **metadata: str) -> dict:
    conditions = [{"type": "Ready", "status": ready}]
    return {
        "metadata": {"name": name, "creationTimestamp": made, **metadata},
        "status": {"conditions": conditions},
    }


def test_the_prober_to_ask_is_the_newest_that_is_ready_and_stays():
    old, new = a_prober("old"), a_prober("new", made="2026-01-02T00:00:00Z")
    leaving = a_prober("leaving", made="2026-01-03T00:00:00Z", deletionTimestamp="2026-01-04T00:00:00Z")
    starting = a_prober("starting", made="2026-01-04T00:00:00Z", ready="False")
    assert prober_pod.ready_pod([new, old, leaving, starting]) == "new"
    assert prober_pod.ready_pod([leaving, starting, {"metadata": {"name": "bare"}}]) is None
