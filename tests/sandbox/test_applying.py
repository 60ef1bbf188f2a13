# ruff: noqa: E501  (recorded sentences of the cluster are long)
"""Whose rights, which requests, and what stops an apply."""

import pytest
from aiohttp import web

from sandbox.applying import ManifestRefused, apply, parse_manifests
from sandbox.errors import ClusterUnavailable, NotFound, Unauthorized
from tests.sandbox.fake_api import fake_api, status

NS = "gh-aaaaaaaaaa"
RESOURCES = {
    "/api/v1": [("Pod", "pods", True), ("Pod", "pods/log", True), ("ConfigMap", "configmaps", True), ("Node", "nodes", False)],
    "/apis/apps/v1": [("Deployment", "deployments", True)],
}  # fmt: skip


def config(name, extra=""):
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}{extra}}}\n"


class Cluster:
    """Discovery, and what it answers to an apply of each name."""

    def __init__(self, **answers):
        self.answers = answers

    async def __call__(self, request, asked):
        if asked.method == "GET":
            found = RESOURCES.get(asked.path)
            if found is None:
                return status(404, "NotFound", "not served")
            listed = [{"kind": kind, "name": name, "namespaced": inside} for kind, name, inside in found]
            return web.json_response({"kind": "APIResourceList", "resources": listed})
        answer = self.answers.get(asked.path.rpartition("/")[2])
        return answer() if answer else web.json_response(asked.json, status=201)


async def test_applies_as_the_student():
    async with fake_api(Cluster()) as api, api.client(user_agent="glasshull-keeper") as client:
        done = await apply(
            client, "key", NS, parse_manifests(config("a") + "---\n" + config("b")), dry_run=False
        )
        await apply(client, "key", NS, parse_manifests(config("c")), dry_run=True)
    assert [(one.kind, one.name, one.result) for one in done] == [
        ("ConfigMap", "a", "created"),
        ("ConfigMap", "b", "created"),
    ]
    discovery, *tries, first, second, third = api.asked
    assert [(one.path[-2:], one.query["dryRun"]) for one in tries] == [("/a", "All"), ("/b", "All")]
    assert discovery.path == "/api/v1"
    assert (first.method, first.path) == ("PATCH", f"/api/v1/namespaces/{NS}/configmaps/a")
    assert first.query == {"fieldManager": "glasshull-editor", "force": "true"}
    assert first.headers["Authorization"] == "Bearer key"
    assert first.headers["User-Agent"] == "glasshull-editor"
    assert first.headers["Content-Type"] == "application/apply-patch+yaml"
    assert second.path.endswith("/b")
    assert third.query["dryRun"] == "All"


async def test_one_refusal_and_nothing_is_changed():
    def no():
        return status(
            422,
            "Invalid",
            "bad",
            causes=[{"field": "data.x", "reason": "FieldValueInvalid", "message": "no"}],
        )

    text = "---\n".join([config("a"), config("b") + "data:\n  x: y\n", config("c")])
    async with fake_api(Cluster(b=no)) as api, api.client() as client:
        with pytest.raises(ManifestRefused) as caught:
            await apply(client, "key", NS, parse_manifests(text), dry_run=False)
    assert (caught.value.line, caught.value.text) == (9, "`x`: no.")
    tried = [(asked.path.rpartition("/")[2], asked.query.get("dryRun")) for asked in api.asked[1:]]
    assert tried == [("a", "All"), ("b", "All")]


async def test_another_namespace_is_refused_before_anything_is_sent():
    text = config("a") + "---\n" + config("b", ", namespace: kube-system")
    async with fake_api(Cluster()) as api, api.client() as client:
        with pytest.raises(ManifestRefused, match="`namespace: kube-system` is not yours") as caught:
            await apply(client, "key", NS, parse_manifests(text), dry_run=False)
    assert caught.value.line == 7
    assert api.asked == []


async def test_the_own_namespace_may_be_named():
    async with fake_api(Cluster()) as api, api.client() as client:
        await apply(client, "key", NS, parse_manifests(config("a", f", namespace: {NS}")), dry_run=False)
    assert api.asked[-1].path == f"/api/v1/namespaces/{NS}/configmaps/a"


@pytest.mark.parametrize(
    ("head", "line", "words"),
    [
        ("apiVersion: v1\nkind: Deployment\n", 1, "`Deployment` is in `apiVersion: apps/v1`, not in `v1`"),
        ("apiVersion: v1\nkind: Pot\n", 2, "Did you mean `Pod`?"),
        ("apiVersion: apps/v1\nkind: deployment\n", 2, "Did you mean `Deployment`?"),
        ("apiVersion: apps/v2\nkind: Deploymnt\n", 2, "Did you mean `Deployment` (`apiVersion: apps/v1`)?"),
        ("apiVersion: example.com/v1\nkind: Ship\n", 2, "knows no kind `Ship`"),
        ("apiVersion: ../../etc\nkind: Ship\n", 2, "knows no kind `Ship`"),
        ("apiVersion: v1/../../x\nkind: Ship\n", 2, "knows no kind `Ship`"),
    ],
)
async def test_an_unknown_kind(head, line, words):
    async with fake_api(Cluster()) as api, api.client() as client:
        with pytest.raises(ManifestRefused) as caught:
            await apply(client, "key", NS, parse_manifests(head + "metadata: {name: a}\n"), dry_run=True)
    assert words in caught.value.text
    assert caught.value.line == line
    assert all(".." not in asked.path for asked in api.asked)


async def test_warnings_are_handed_on():
    def warned():
        return web.json_response({}, headers={"Warning": '299 - "use apps/v1"'})

    async with fake_api(Cluster(a=warned)) as api, api.client() as client:
        (done,) = await apply(client, "key", NS, parse_manifests(config("a")), dry_run=True)
    assert done.warnings == ("use apps/v1",)
    assert done.result == "configured"


@pytest.mark.parametrize(("code", "error"), [(401, Unauthorized), (404, NotFound), (503, ClusterUnavailable)])
async def test_what_is_not_the_students_fault_is_no_refusal(code, error):
    async with fake_api(Cluster(a=lambda: status(code, "Why", "because"))) as api, api.client() as client:
        with pytest.raises(error):
            await apply(client, "key", NS, parse_manifests(config("a")), dry_run=False)
