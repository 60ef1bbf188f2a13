"""At what a fault aims, which one it hits, and what is refused."""

import json

import pytest

from sandbox.errors import Conflict, NotFound
from sandbox.faults import TargetInvalid, check_fault, kill_pod, parse_target, pick_target
from sandbox.faults.registry import FaultInvalid
from sandbox.record.exercise import Fault
from tests.sandbox.fake_api import fake_api, status


def pod(name, created=0, **labels):
    return {
        "metadata": {
            "name": name,
            "uid": name,
            "labels": labels,
            "creationTimestamp": f"2026-01-01T00:00:{created:02}Z",
        }
    }


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("pod:app=shop", ["a", "b", "c"]),
        ("pod:app==shop", ["a", "b", "c"]),
        ("pod:app=shop,tier=web", ["a", "b"]),
        ("pod:app != shop", ["d"]),
        ("pod:tier in (web, db)", ["a", "b", "c"]),
        ("pod:tier notin (web)", ["c", "d"]),
        ("pod:tier", ["a", "b", "c"]),
        ("pod:!tier", ["d"]),
        ("pod:app in (shop),!old", ["a", "c"]),
        ("pod/b", ["b"]),
        ("pod/zzz", []),
        ("pod:app=none", []),
    ],
)
def test_selectors(text, names):
    pods = [
        pod("a", 1, app="shop", tier="web"), pod("b", 2, app="shop", tier="web", old=""),
        pod("c", 3, app="shop", tier="db"), pod("d", 4, app="other"),
    ]  # fmt: skip
    assert [one["metadata"]["name"] for one in pick_target(text, pods, pick="all")] == names


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pod:",
        "pod/",
        "pod/UPPER",
        "node:*",
        "service/x",
        "pod:a b",
        "pod:=x",
        "pod:a in x",
        "pod/a/b",
        "pod/../x",
    ],
)
def test_what_is_no_target(text):
    with pytest.raises(TargetInvalid, match="write"):
        parse_target(text)


def test_the_seed_decides_and_the_order_given_does_not():
    pods = [pod(name, index, app="x") for index, name in enumerate("abcdef")]
    for seed in ("s1", "s2", "s3"):
        once = pick_target("pod:app=x", pods, seed=seed)
        again = pick_target("pod:app=x", list(reversed(pods)), seed=seed)
        assert once == again
        assert len(once) == 1
    assert len({pick_target("pod:app=x", pods, seed=str(n))[0]["metadata"]["name"] for n in range(60)}) == 6


@pytest.mark.parametrize(("pick", "count"), [("one", 1), (1, 1), (2, 2), (5, 3), ("all", 3)])
def test_how_many(pick, count):
    pods = [pod(name, app="x") for name in "abc"]
    found = pick_target("pod:app=x", pods, pick=pick, seed="s")
    assert len({one["metadata"]["name"] for one in found}) == count


async def test_kill_pod_as_the_student():
    async def answer(request, asked):
        return status(200)

    async with fake_api(answer) as api, api.client(user_agent="glasshull-runner") as client:
        await kill_pod(client, "gh-a", "web-1", 2.5, token="key", uid="u1")
        await kill_pod(client, "gh-a", "web-2", None)
    first, second = api.asked
    assert (first.method, first.path) == ("DELETE", "/api/v1/namespaces/gh-a/pods/web-1")
    assert json.loads(first.body) == {"gracePeriodSeconds": 3, "preconditions": {"uid": "u1"}}
    assert (first.headers["Authorization"], first.headers["User-Agent"]) == (
        "Bearer key",
        "glasshull-picture",
    )
    assert json.loads(second.body) == {}
    assert second.headers["User-Agent"] == "glasshull-runner"
    assert "Authorization" not in second.headers


@pytest.mark.parametrize(("code", "error"), [(404, NotFound), (409, Conflict)])
async def test_a_target_that_is_gone_says_so(code, error):
    async def answer(request, asked):
        return status(code, "Why", "gone")

    async with fake_api(answer) as api, api.client() as client:
        with pytest.raises(error):
            await kill_pod(client, "gh-a", "web-1", None)


def fault(**changes):
    return Fault(**({"id": "kill", "kind": "kill-pod", "target": "pod:app=x", "grace": 3.0} | changes))


VALUE = {"object": "ConfigMap/prices", "path": "data.ROPE", "value": "free"}


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "kill-container", "grace": None, "parameters": {"how": "oom", "container": "app"}},
        {"kind": "fail-readiness", "grace": None, "lasting": 20.0},
        {"kind": "slow-app", "grace": None, "parameters": {"how": "delay", "ms": 900}},
        {"kind": "break-dns", "grace": None, "target": "", "parameters": {"name": "storefront"}},
        {"kind": "corrupt-config", "grace": None, "target": "", "parameters": VALUE},
        {"by": "timeline", "at": "start+20s", "parameters": {"repeat": {"times": 3, "every": "10s"}}},
        {"by": "check:up", "at": "start+5s"},
    ],
)
def test_sound_faults_of_every_kind(changes):
    assert check_fault(fault(**changes)).refused is None


def test_a_sound_fault():
    assert check_fault(fault()).name == "kill-pod"
    assert check_fault(fault(pick=2, grace=None)).mechanism


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "burn"}, "there is break-dns"),
        ({"kind": "cut-traffic"}, "enforces NetworkPolicies"),
        ({"kind": "stop-node"}, "shared with other students"),
        ({"kind": "slow-app", "grace": None, "lasting": 121.0}, "at most 120"),
        ({"kind": "slow-app", "grace": None, "parameters": {"how": "burn"}}, "not one of delay, hang, spin"),
        ({"kind": "slow-app", "grace": None, "parameters": {"how": "hang", "ms": 5}}, "of how: delay"),
        ({"kind": "slow-app", "grace": None, "parameters": {"ms": 0}}, "1 to 30000"),
        ({"kind": "slow-app", "grace": None, "target": ""}, "at what it aims"),
        ({"kind": "slow-app"}, "only kill-pod has a grace"),
        ({"parameters": {"how": "oom"}}, "kill-pod has no how"),
        ({"by": "timeline"}, "needs at:"),
        ({"at": "start+5s"}, "not for by: student"),
        ({"parameters": {"repeat": {"times": 1, "every": "10s"}}}, "with 2 to 10 times"),
        ({"parameters": {"repeat": {"times": 3, "every": "10m"}}}, "1s to 60s"),
        ({"parameters": {"repeat": 3}}, "times: 3, every: 10s"),
        (
            {"kind": "slow-app", "grace": None, "parameters": {"repeat": {"times": 3, "every": "10s"}}},
            "happens at once",
        ),
        ({"kind": "break-dns", "grace": None, "parameters": {"name": "Shop!"}}, "one Service"),
        ({"kind": "corrupt-config", "grace": None}, "Kind/name"),
        (
            {"kind": "corrupt-config", "grace": None, "parameters": VALUE | {"object": "Secret/x"}},
            "kinds: ConfigMap",
        ),
        (
            {"kind": "corrupt-config", "grace": None, "parameters": VALUE | {"path": "metadata.name"}},
            "below spec",
        ),
        ({"kind": "corrupt-config", "grace": None, "parameters": VALUE | {"path": "a b"}}, "write a path"),
        ({"pick": "some"}, "one, all or a number"),
        ({"pick": 0}, "one, all or a number"),
        ({"grace": 1000.0}, "0 to 120"),
        ({"lasting": 5.0}, "leave `for` out"),
    ],
)
def test_an_unsound_fault_says_what_to_write(changes, words):
    with pytest.raises(FaultInvalid, match=words):
        check_fault(fault(**changes))
