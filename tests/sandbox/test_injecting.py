"""Each kind of fault into a sandbox and out again; cluster, prober and hands only note what they hear."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from sandbox.errors import ClusterUnavailable, Invalid, NotFound, SandboxError
from sandbox.faults.corrupting import NothingThere, corruption_for
from sandbox.faults.hands import HandsAway, HandsRefused, NoHands
from sandbox.faults.injecting import CannotBreak, Injector, NotYetBack, Place, is_over, text_for
from sandbox.faults.switching import is_off, words_for
from sandbox.record.exercise import Fault

ID = "containerd://" + "a" * 64


def pod(name: str = "shop-1", *, restarts: int = 0, state: str = "running", **labels: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "labels": labels},
        "spec": {"nodeName": "worker-1"},
        "status": {
            "podIP": "10.1.1.7",
            "containerStatuses": [
                {"name": "app", "containerID": ID, "restartCount": restarts, "state": {state: {}}}
            ],
        },
    }


def fault(kind: str, **said: Any) -> Fault:
    fields = {key: said.pop(key) for key in ("lasting", "target", "id") if key in said}
    return Fault(**{"id": "f", "kind": kind, "target": "pod:app=shop", "parameters": said} | fields)


@dataclass
class Said:
    ok_transport: bool = True
    status: int = 200
    body: str = "{}"
    error: str = ""
    echo_pod_uid: str = ""


@dataclass
class World:
    """Cluster, prober and hands in one. `pods` by name; `says` what each Pod's switch port answers."""

    pods: dict[str, dict[str, Any]] = field(default_factory=dict)
    says: dict[str, Said] = field(default_factory=dict)
    heard: list[Any] = field(default_factory=list)
    error: Exception | None = None

    async def request(self, method: str, path: str, **more: Any) -> Any:
        if self.error is not None and method != "GET":
            raise self.error
        self.heard.append((method, path, more.get("body"), more.get("token")))
        name = path.rpartition("/")[2]
        if method == "GET" and name not in self.pods:
            raise NotFound(404, "NotFound", "gone")
        return self.pods.get(name, {})

    async def ask(self, url: str, *, method: str, body: str, timeout: float) -> Said:
        if self.error is not None:
            raise self.error
        self.heard.append((method, url, body))
        return self.says.get(f"{method} {body}".strip(), self.says.get(method, Said()))

    async def kill_container(self, *about: str) -> None:
        await self._hand("kill", *about)

    async def break_dns(self, *about: Any) -> None:
        await self._hand("break", *about)

    async def mend_dns(self, *about: Any) -> None:
        await self._hand("mend", *about)

    async def _hand(self, *about: Any) -> None:
        if self.error is not None:
            raise self.error
        self.heard.append(about)

    def injector(self) -> Injector:
        return Injector(self, self, self, self)  # type: ignore[arg-type]

    @property
    def sent(self) -> list[Any]:
        return [one for one in self.heard if one[0] != "GET"]


@pytest.fixture
def world() -> World:
    return World(pods={"shop-1": pod(app="shop"), "shop-2": pod("shop-2", app="shop")})


PLACE = Place("gh-a", {"price": 7}, {("ConfigMap", "prices"): {"data": {"ROPE": "3", "LAMP": "9"}}}, "seed")


async def begun(world: World, spec: Fault, *pods: str) -> Any:
    """Prepared and sent; what the record would hold."""
    prepared = await world.injector().prepare(spec, PLACE, [world.pods[name] for name in pods])
    kept = json.loads(json.dumps(prepared.undo))  # it goes through the record
    await world.injector().apply("gh-a", kept, 30.0)
    return kept


# --- words -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("spec", "labels", "words"),
    [
        (fault("fail-readiness"), {}, ("ready=off", "ready=on")),
        (fault("slow-app"), {}, ("slow=800ms", "slow=off")),
        (fault("slow-app", how="delay", ms=50), {}, ("slow=50ms", "slow=off")),
        (fault("slow-app", how="hang"), {"app": "shop"}, ("hang", "hang=off")),
        (fault("slow-app", how="hang"), {"app": "monolith", "part": "stock"}, ("hang=stock", "hang=off")),
        (fault("slow-app", how="spin"), {}, ("spin=1", "spin=0")),
        (fault("kill-container", how="oom"), {}, ("leak=64Mi/s", "leak=off")),
    ],
)
def test_words_of_a_switch(spec: Fault, labels: dict[str, str], words: tuple[str, str]) -> None:
    assert words_for(spec, pod(**labels)) == words


@pytest.mark.parametrize(
    ("state", "off", "is_it"),
    [
        ('{"hang": "on"}', "hang=off", False),
        ('{"hang": "stock"}', "hang=off", False),
        ('{"hang": "off"}', "hang=off", True),
        ('{"slow": "0ms"}', "slow=off", True),
        ('{"slow": "800ms"}', "slow=off", False),
        ('{"ready": "on"}', "ready=on", True),
        ("{}", "hang=off", False),
        ("nonsense", "hang=off", False),
    ],
)
def test_whether_it_is_switched_off(state: str, off: str, is_it: bool) -> None:
    assert is_off(state, off) is is_it


def test_a_line_says_what_happens_to_whom() -> None:
    pods = [pod("stock-1", app="stock"), pod("monolith-1", app="monolith"), pod("stock-2", app="stock")]
    assert text_for(fault("slow-app", how="hang", lasting=20.0), pods) == "stock, monolith: hangs, 20 s"
    assert text_for(fault("break-dns", name="shop"), []) == "the name shop does not resolve, 30 s"
    assert "ROPE" not in text_for(
        fault("corrupt-config", object="ConfigMap/p", path="data.ROPE", value="1"), []
    )


# --- switches ----------------------------------------------------------------------------------------
async def test_a_switch_is_asked_for_before_and_turned_on_in_every_target(world: World) -> None:
    undo = await begun(world, fault("slow-app", how="hang"), "shop-1", "shop-2")
    port = "http://10.1.1.7:9090/switch"
    assert world.sent == [("POST", port, "hang"), ("POST", port, "hang")]
    assert ("GET", port, "") in world.heard
    assert [each["uid"] for each in undo["pods"]] == ["uid-shop-1", "uid-shop-2"]


async def test_it_is_switched_back(world: World) -> None:
    undo = await begun(world, fault("slow-app", how="hang"), "shop-1")
    world.says["GET"] = Said(body='{"hang": "on"}')
    assert await world.injector().revert("gh-a", undo, {"uid-shop-1": pod()}) == []
    assert world.sent[-1] == ("POST", "http://10.1.1.7:9090/switch", "hang=off")


@pytest.mark.parametrize(
    "now",
    [{}, {"uid-shop-1": pod(restarts=1)}, {"uid-shop-1": pod(state="terminated")}],
    ids=["gone", "restarted", "ended"],
)
async def test_a_process_that_is_gone_needs_no_switch(world: World, now: dict[str, Any]) -> None:
    undo = await begun(world, fault("slow-app"), "shop-1")
    before = list(world.heard)
    assert await world.injector().revert("gh-a", undo, now) == []
    assert world.heard == before
    assert is_over(undo, now)


async def test_switched_back_by_somebody_else_is_told(world: World) -> None:
    undo = await begun(world, fault("slow-app", how="hang"), "shop-1")
    world.says["GET"] = Said(body='{"hang": "off"}')
    assert await world.injector().revert("gh-a", undo, {"uid-shop-1": pod()}) == ["shop-1"]


async def test_a_restart_that_the_watch_has_not_seen_is_nobodys_doing(world: World) -> None:
    undo = await begun(world, fault("slow-app", how="hang"), "shop-1")
    world.says["GET"] = Said(body='{"hang": "off"}')
    world.pods["shop-1"] = pod(restarts=1)
    assert await world.injector().revert("gh-a", undo, {"uid-shop-1": pod()}) == []


async def test_an_app_that_does_not_answer_is_asked_again(world: World) -> None:
    undo = await begun(world, fault("slow-app"), "shop-1")
    world.says["GET"] = Said(ok_transport=False, error="timeout")
    with pytest.raises(NotYetBack):
        await world.injector().revert("gh-a", undo, {"uid-shop-1": pod()})


@pytest.mark.parametrize(
    ("said", "words", "ours"),
    [
        (Said(ok_transport=False, error="refused"), "has no switches", False),
        (Said(status=404), "has no switch", False),
        (Said(ok_transport=False, error="timeout"), "does not answer", False),
        (Said(echo_pod_uid="another"), "another Pod has the address", False),
    ],
)
async def test_an_app_without_switches_is_refused_before_anything_begins(
    world: World, said: Said, words: str, ours: bool
) -> None:
    world.says["GET"] = said
    with pytest.raises(CannotBreak, match=words) as caught:
        await world.injector().prepare(fault("slow-app"), PLACE, [pod()])
    assert caught.value.ours is ours
    assert world.sent == []


async def test_a_prober_that_is_away_is_ours(world: World) -> None:
    world.error = SandboxError("no stream")
    with pytest.raises(CannotBreak) as caught:
        await world.injector().prepare(fault("fail-readiness"), PLACE, [pod()])
    assert caught.value.ours


async def test_one_target_that_refuses_is_enough(world: World) -> None:
    spec = fault("slow-app", how="hang")
    world.pods["shop-2"]["metadata"]["labels"]["part"] = "stock"
    world.says["POST hang=stock"] = Said(status=400)
    with pytest.raises(CannotBreak, match="has no switch hang"):
        await begun(world, spec, "shop-1", "shop-2")
    assert [body for _, _, body in world.sent] == ["hang", "hang=stock"]


async def test_a_target_that_vanished_is_said(world: World) -> None:
    gone = pod("shop-9")
    with pytest.raises(CannotBreak, match="shop-9 is gone already"):
        await world.injector().prepare(fault("slow-app"), PLACE, [gone])
    world.pods["shop-9"] = pod("shop-9") | {"metadata": {"name": "shop-9", "uid": "another"}}
    with pytest.raises(CannotBreak, match="gone already"):
        await world.injector().prepare(fault("slow-app"), PLACE, [gone])


# --- containers --------------------------------------------------------------------------------------
async def test_sigkill_goes_to_the_container_that_runs(world: World) -> None:
    undo = await begun(world, fault("kill-container", container="app"), "shop-1")
    assert world.sent == [("kill", "gh-a", "shop-1", "uid-shop-1", ID)]
    assert not is_over(undo, {"uid-shop-1": pod()})
    assert is_over(undo, {"uid-shop-1": pod(restarts=1)})
    assert is_over(undo, {})


async def test_a_container_that_does_not_run_is_not_killed(world: World) -> None:
    world.pods["shop-1"] = pod(state="waiting")
    for spec in (fault("kill-container"), fault("kill-container", container="other")):
        with pytest.raises(CannotBreak, match="is running"):
            await world.injector().prepare(spec, PLACE, [pod()])


@pytest.mark.parametrize(("error", "ours"), [(HandsAway("no"), True), (HandsRefused("no"), False)])
async def test_hands_that_are_away_are_ours(world: World, error: Exception, ours: bool) -> None:
    prepared = await world.injector().prepare(fault("kill-container"), PLACE, [pod()])
    world.error = error
    with pytest.raises(CannotBreak) as caught:
        await world.injector().apply("gh-a", prepared.undo, None)
    assert caught.value.ours is ours


async def test_a_cluster_without_hands_says_so() -> None:
    hands = NoHands()
    with pytest.raises(HandsRefused, match="gives nobody a way"):
        await hands.break_dns("gh-a", [], 1.0)
    await hands.mend_dns("gh-a")


# --- names -------------------------------------------------------------------------------------------
async def test_names_are_denied_and_given_back(world: World) -> None:
    undo = await begun(world, fault("break-dns", name="storefront"))
    await world.injector().revert("gh-a", undo, {})
    assert world.heard == [("break", "gh-a", ["storefront"], 30.0), ("mend", "gh-a")]
    world.heard.clear()
    await begun(world, fault("break-dns"))
    assert world.heard == [("break", "gh-a", [], 30.0)]


async def test_names_that_cannot_be_given_back_now_are_tried_again(world: World) -> None:
    world.error = HandsAway("no")
    with pytest.raises(NotYetBack):
        await world.injector().revert("gh-a", {"dns": {"names": []}}, {})


# --- values ------------------------------------------------------------------------------------------
CORRUPT = {"object": "ConfigMap/prices", "path": "data.ROPE"}


async def test_a_value_is_replaced_and_put_back_only_if_it_is_still_ours(world: World) -> None:
    undo = await begun(world, fault("corrupt-config", **CORRUPT, value="${params.price}"))
    (method, path, body, token), *_ = world.sent
    assert (method, path, token) == ("PATCH", "/api/v1/namespaces/gh-a/configmaps/prices", None)
    assert body == [
        {"op": "test", "path": "/data/ROPE", "value": "3"},
        {"op": "replace", "path": "/data/ROPE", "value": 7},
    ]
    world.heard.clear()
    await world.injector().revert("gh-a", undo, {})
    assert world.sent[0][2][0] == {"op": "test", "path": "/data/ROPE", "value": 7}
    world.error = Invalid(422, "Invalid", "the test failed")
    assert await world.injector().revert("gh-a", undo, {}) == []
    world.error = ClusterUnavailable("away")
    with pytest.raises(NotYetBack):
        await world.injector().revert("gh-a", undo, {})


async def test_as_the_student_with_the_students_key(world: World) -> None:
    spec = fault("corrupt-config", **CORRUPT, value="free")
    prepared = await world.injector().prepare(spec, PLACE, [])
    await world.injector().apply("gh-a", prepared.undo, 30.0, "key")
    assert world.sent[0][3] == "key"


def test_of_a_list_the_seed_takes_one_that_differs() -> None:
    obj = PLACE.objects["ConfigMap", "prices"]
    spec = fault("corrupt-config", **CORRUPT, value=["3", "30", "300"])
    chosen = {corruption_for(spec, obj, "gh-a", {}, str(n)).new for n in range(40)}
    assert chosen == {"30", "300"}
    assert len({corruption_for(spec, obj, "gh-a", {}, "s").new for _ in range(5)}) == 1
    with pytest.raises(NothingThere, match="that value already"):
        corruption_for(fault("corrupt-config", **CORRUPT, value="3"), obj, "gh-a", {}, "s")


@pytest.mark.parametrize("path", ["data.NONE", "data.ROPE.deeper", "data[0]", "spec.replicas"])
def test_a_path_that_leads_nowhere(path: str) -> None:
    spec = fault("corrupt-config", object="ConfigMap/prices", path=path, value="1")
    with pytest.raises(NothingThere, match="has nothing at"):
        corruption_for(spec, PLACE.objects["ConfigMap", "prices"], "gh-a", {}, "s")


def test_a_path_through_a_list() -> None:
    obj = {"spec": {"template": {"spec": {"containers": [{"image": "app/a~b:1.0"}]}}}}
    spec = fault(
        "corrupt-config", object="Deployment/shop", path="spec.template.spec.containers[0].image", value="x"
    )
    found = corruption_for(spec, obj, "gh-a", {}, "s")
    assert found.pointer == "/spec/template/spec/containers/0/image"
    assert found.path == "/apis/apps/v1/namespaces/gh-a/deployments/shop"


async def test_an_object_that_is_not_there(world: World) -> None:
    spec = fault("corrupt-config", object="ConfigMap/none", path="data.X", value="1")
    with pytest.raises(CannotBreak, match="no ConfigMap none"):
        await world.injector().prepare(spec, PLACE, [])


async def test_what_nobody_can_have_is_refused_with_its_reason(world: World) -> None:
    with pytest.raises(CannotBreak, match="NetworkPolicies"):
        await world.injector().prepare(fault("cut-traffic"), PLACE, [])
