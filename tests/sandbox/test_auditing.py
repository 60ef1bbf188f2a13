"""Audit lines to actions, and following the file through whatever happens to it."""

import asyncio
import contextlib
import json

import pytest

from sandbox.auditing import action_of, tail, through_of

NS = "gh-aaaaaaaaaa"
STUDENT = f"system:serviceaccount:{NS}:student"


def line(verb="delete", *, user=STUDENT, resource="pods", name="web-1", sub="", code=200, agent="kubectl/v1.37.2",
         uri="/api/v1/x", stage="ResponseComplete", namespace=NS):  # fmt: skip
    reference = {"resource": resource, "namespace": namespace, "name": name, "apiVersion": "v1"}
    if sub:
        reference["subresource"] = sub
    return json.dumps(
        {
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": "1",
            "stage": stage, "requestURI": uri, "verb": verb, "user": {"username": user, "groups": []},
            "sourceIPs": ["10.1.1.2"], "userAgent": agent, "objectRef": reference,
            "responseStatus": {"metadata": {}, "code": code},
            "stageTimestamp": "2026-11-24T11:00:00.250000Z",
        }
    ).encode()  # fmt: skip


def test_a_deletion():
    action = action_of(line())
    assert action is not None
    assert action.namespace == NS
    assert action.at == 1795518000.25
    assert action.change() == {
        "verb": "delete", "resource": "pods", "name": "web-1", "code": 200, "through": "terminal", "subresource": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "verb"),
    [
        ({"verb": "create", "code": 201}, "create"),
        ({"verb": "patch", "code": 200}, "patch"),
        ({"verb": "patch", "code": 201}, "create"),
        ({"verb": "update"}, "update"),
        ({"verb": "deletecollection", "name": ""}, "deletecollection"),
        ({"verb": "patch", "resource": "deployments", "sub": "scale"}, "scale"),
        ({"verb": "update", "resource": "deployments", "sub": "scale"}, "scale"),
        ({"verb": "delete", "code": 403}, "delete"),
        ({"verb": "get", "sub": "exec", "stage": "ResponseStarted", "code": 101}, "exec"),
        ({"verb": "create", "sub": "portforward", "stage": "ResponseStarted", "code": 101}, "portforward"),
        ({"verb": "create", "sub": "exec", "stage": "ResponseComplete", "code": 403}, "exec"),
    ],
)
def test_verbs(arguments, verb):
    assert action_of(line(**arguments)).verb == verb


@pytest.mark.parametrize(
    "arguments",
    [
        {"verb": "get"},
        {"verb": "list"},
        {"verb": "watch"},
        {"verb": "get", "sub": "log"},
        {"verb": "get", "resource": "deployments", "sub": "scale"},
        {"verb": "patch", "uri": "/apis/apps/v1/x?dryRun=All&fieldManager=me"},
        {"verb": "create", "resource": "localsubjectaccessreviews"},
        {"verb": "delete", "user": "system:serviceaccount:gh-aaaaaaaaaa:default"},
        {"verb": "delete", "user": "system:serviceaccount:gh-bbbbbbbbbb:student"},
        {"verb": "delete", "user": "glasshull:runner"},
        {"verb": "delete", "namespace": "kube-system", "user": "system:serviceaccount:gh-aaaaaaaaaa:student"},
        {"verb": "delete", "stage": "RequestReceived"},
        {"verb": "get", "sub": "exec", "stage": "ResponseComplete", "code": 101},
    ],
    ids=str,
)
def test_what_is_no_action(arguments):
    assert action_of(line(**arguments)) is None


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"{",
        b'{"user": {"username": "system:serviceaccount:gh-aaaaaaaaaa:student"}}',
        b"system:serviceaccount:gh-",
    ],
)
def test_a_line_that_is_none_is_left_out(bad):
    assert action_of(bad) is None


@pytest.mark.parametrize(
    ("agent", "through"),
    [
        ("kubectl/v1.37.2 (linux/amd64) kubernetes/abc", "terminal"),
        ("curl/8", "terminal"),
        ("", "terminal"),
        ("glasshull-editor", "editor"),
        ("glasshull-picture", "picture"),
        ("glasshull-page", "page"),
        ("kubectl glasshull-editor", "terminal"),
    ],
)
def test_through(agent, through):
    assert through_of(agent) == through


@contextlib.asynccontextmanager
async def tailing(path, **arguments):
    seen = []
    task = asyncio.create_task(tail(path, lambda action: seen.append(action.name), poll=0.01, **arguments))
    await asyncio.sleep(0.03)

    async def names(count):
        async with asyncio.timeout(3):
            while len(seen) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.03)
        return seen

    try:
        yield names
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_starts_at_the_end_and_takes_what_comes(tmp_path):
    log = tmp_path / "audit.log"
    log.write_bytes(line(name="old") + b"\n")
    async with tailing(log) as names:
        with log.open("ab") as file:
            file.write(line(name="a") + b"\n" + line(name="b")[:50])
            file.flush()
            assert await names(1) == ["a"]
            file.write(line(name="b")[50:] + b"\n")
        assert await names(2) == ["a", "b"]


async def test_survives_rotation(tmp_path):
    log = tmp_path / "audit.log"
    log.touch()
    async with tailing(log) as names:
        with log.open("ab") as old:
            old.write(line(name="a") + b"\n")
            log.rename(tmp_path / "audit-1.log")
            old.write(line(name="b") + b"\n")
        log.write_bytes(line(name="c") + b"\n")
        assert await names(3) == ["a", "b", "c"]
        with log.open("ab") as file:
            file.write(line(name="d") + b"\n")
        assert await names(4) == ["a", "b", "c", "d"]


async def test_survives_truncation(tmp_path):
    log = tmp_path / "audit.log"
    log.write_bytes(line(name="old") + b"\n" + line(name="older") + b"\n")
    async with tailing(log) as names:
        log.write_bytes(line(name="new") + b"\n")
        assert await names(1) == ["new"]


async def test_waits_for_a_file_that_is_not_there_yet(tmp_path):
    log = tmp_path / "audit.log"
    async with tailing(log) as names:
        log.write_bytes(line(name="first") + b"\n")
        assert await names(1) == ["first"]


async def test_a_huge_line_costs_only_itself(tmp_path, monkeypatch):
    monkeypatch.setattr("sandbox.auditing.LINE_LIMIT", 1000)
    log = tmp_path / "audit.log"
    log.touch()
    async with tailing(log) as names:
        log.write_bytes(b"x" * 500_000 + b"\n" + line(name="after") + b"\n")
        assert await names(1) == ["after"]
