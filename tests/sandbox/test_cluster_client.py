"""The client: what it sends, how it decodes, which error for which answer."""

import asyncio

import msgspec
import pytest
from aiohttp import web

from sandbox.cluster import client as clients
from sandbox.cluster.client import ClusterClient, answer_of
from sandbox.cluster.kubeconfig import KubeconfigInvalid, kubeconfig_for, read_access
from sandbox.errors import (
    ApiError,
    ClusterUnavailable,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    Unauthorized,
)
from tests.sandbox.fake_api import fake_api, status


async def ok(request, asked):
    return web.json_response({"kind": "Pod"})


async def test_sends_agent_query_body_and_token():
    async with fake_api(ok) as api, api.client(user_agent="glasshull-editor") as client:
        answer = await client.request(
            "PATCH", "/api/v1/x", body={"a": 1}, params={"force": True, "fieldManager": "me", "n": 3},
            content_type=clients.APPLY_PATCH, token="abc",
        )  # fmt: skip
    assert answer == {"kind": "Pod"}
    (asked,) = api.asked
    assert (asked.method, asked.path) == ("PATCH", "/api/v1/x")
    assert asked.query == {"force": "true", "fieldManager": "me", "n": "3"}
    assert asked.headers["User-Agent"] == "glasshull-editor"
    assert asked.headers["Authorization"] == "Bearer abc"
    assert asked.headers["Content-Type"] == "application/apply-patch+yaml"
    assert asked.json == {"a": 1}


async def test_without_a_token_no_authorization_is_sent():
    async with fake_api(ok) as api, api.client() as client:
        await client.request("GET", "/x")
    assert "Authorization" not in api.asked[0].headers


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, Invalid), (401, Unauthorized), (403, Forbidden), (404, NotFound), (409, Conflict),
        (410, Gone), (422, Invalid), (429, ApiError), (500, ApiError),
    ],
)  # fmt: skip
async def test_a_refusal_is_an_api_error(code, kind):
    async def refuse(request, asked):
        return status(code, "Why", "because", causes=[{"field": "spec.replicas"}])

    async with fake_api(refuse) as api, api.client() as client:
        with pytest.raises(ApiError) as caught:
            await client.request("POST", "/x")
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.reason, error.message) == (code, "Why", "because")
    assert error.details["causes"] == [{"field": "spec.replicas"}]


@pytest.mark.parametrize("code", [404, 500, 502, 503, 504])
async def test_an_error_page_is_no_answer_of_a_cluster(code):
    async def page(request, asked):
        return web.Response(status=code, text="<html>Bad gateway</html>", content_type="text/html")

    async with fake_api(page) as api, api.client() as client:
        with pytest.raises(ClusterUnavailable, match=str(code)):
            await client.request("GET", "/api/v1/pods")


async def test_a_page_with_status_200_is_no_answer_either():
    async def page(request, asked):
        return web.Response(text="<html>Welcome to this network</html>", content_type="text/html")

    async with fake_api(page) as api, api.client() as client:
        with pytest.raises(ClusterUnavailable, match="not JSON"):
            await client.request("GET", "/api/v1/pods")


async def test_half_a_json_is_no_answer():
    async def half(request, asked):
        return web.Response(body=b'{"kind": "PodList", "items": [', content_type="application/json")

    async with fake_api(half) as api, api.client() as client:
        with pytest.raises(ClusterUnavailable, match="broke off"):
            await client.request("GET", "/api/v1/pods")


async def test_silence_ends_in_time():
    async def silent(request, asked):
        await asyncio.sleep(5)
        return web.Response()

    async with fake_api(silent) as api, api.client() as client:
        with pytest.raises(ClusterUnavailable, match="in time"):
            await client.request("GET", "/x", timeout=0.1)


async def test_nobody_there():
    async with fake_api(ok) as api:
        client = api.client()
    async with client:
        with pytest.raises(ClusterUnavailable, match="cannot be reached"):
            await client.request("GET", "/x")


async def test_an_endless_answer_is_cut_off(monkeypatch):
    monkeypatch.setattr(clients, "ANSWER_LIMIT", 1000)

    async def big(request, asked):
        return web.json_response({"x": "y" * 5000})

    async with fake_api(big) as api, api.client() as client:
        with pytest.raises(ClusterUnavailable, match="larger than"):
            await client.request("GET", "/x")


async def test_warnings_are_returned_in_order():
    async def warn(request, asked):
        answer = web.json_response({})
        answer.headers.add("Warning", '299 - "unknown field \\"spec.x\\""')
        answer.headers.add("Warning", '299 - "one", 299 - "two"')
        return answer

    async with fake_api(warn) as api, api.client() as client:
        answer = await client.exchange("GET", "/x")
    assert answer.warnings == ('unknown field "spec.x"', "one", "two")


def test_kubeconfig_round_trip(tmp_path):
    path = tmp_path / "config"
    path.write_text(
        kubeconfig_for(
            server="https://10.2.0.1:16443", authority=b"PEM", namespace="gh-a", user="student", token="t"
        )
    )
    access = read_access(path)
    assert (access.server, access.authority, access.token, access.certificate) == (
        "https://10.2.0.1:16443", b"PEM", "t", None,
    )  # fmt: skip


@pytest.mark.parametrize("text", ["", "a: [", "{}", "current-context: x\ncontexts: []\n"])
def test_a_broken_kubeconfig_says_so(tmp_path, text):
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(KubeconfigInvalid, match="config"):
        read_access(path)


def test_a_missing_kubeconfig_says_so(tmp_path):
    with pytest.raises(KubeconfigInvalid, match="No such file"):
        ClusterClient.from_kubeconfig(tmp_path / "none", user_agent="x")


STARTING = 'pods "x" is forbidden: User "s" cannot get resource "pods": RBAC: clusterrole.rbac.authorization.k8s.io "r" not found'  # noqa: E501


@pytest.mark.parametrize(
    ("said", "error"), [(STARTING, ClusterUnavailable), ('pods "x" is forbidden: no such right', Forbidden)]
)
def test_a_server_that_does_not_know_its_roles_yet_is_not_there_yet(said, error):
    body = msgspec.json.encode({"kind": "Status", "code": 403, "reason": "Forbidden", "message": said})
    with pytest.raises(error):
        answer_of("GET", "/x", 403, {"Content-Type": "application/json"}, body)
