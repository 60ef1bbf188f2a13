"""Faults that last: begun, taken back in time, taken back by the next observer, refused, repeated, timed."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.errors import SandboxError
from sandbox.faults.hands import HandsRefused
from sandbox.observing import ActRefused
from sandbox.record.exercise import Exercise, Fault
from tests.sandbox.observing.shop import BOX, Clock, Shop
from tests.sandbox.record.lesson14 import exercise as lesson14

pytestmark = pytest.mark.usefixtures("clock")

HANG = Fault(
    id="hang",
    kind="slow-app",
    target="pod:app=storefront",
    pick="all",
    lasting=20.0,
    parameters={"how": "hang"},
)
TWICE = {"repeat": {"times": 2, "every": "5s"}}


def spec(*faults: Fault) -> Exercise:
    """Lesson 14's exercise with faults of ours, and no question before any."""
    made = lesson14()
    return Exercise(
        **{name: getattr(made, name) for name in made.__struct_fields__} | {"faults": made.faults + faults}
    )


class Said:
    ok_transport, status, error, echo_pod_uid = True, 200, "", ""

    def __init__(self, body: str) -> None:
        self.body = body


class Switches:
    """In place of the prober and the hands: every Pod has one switch port."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.state, self.error = '{"hang": "on", "slow": "800ms", "ready": "off"}', None

    async def ask(self, url: str, *, method: str, body: str, timeout: float) -> Said:
        if self.error is not None:
            raise self.error
        if body:
            self.heard.append(body)
        return Said(self.state)

    async def kill_container(self, *about: Any) -> None:
        if self.error is not None:
            raise self.error
        self.heard.append(f"kill {about[1]}")

    async def break_dns(self, namespace: str, names: list[str], seconds: float) -> None:
        self.heard.append(f"break {names} {seconds:g}")

    async def mend_dns(self, namespace: str) -> None:
        self.heard.append("mend")


class Broken(Shop):
    """A shop whose Pods have an address, a container and switches."""

    def __init__(self, clock: Clock, *faults: Fault) -> None:
        super().__init__(clock, spec(*faults))
        self.switches = Switches()
        self.api.request = self._request  # type: ignore[method-assign]

    async def start_process(self) -> Any:
        observer = await super().start_process()
        observer.injector._prober = observer.injector._hands = self.switches  # type: ignore[assignment]
        return observer

    async def _request(self, method: str, path: str, **fields: Any) -> Any:
        self.api.asked.append((method, path, fields))
        found = [pod for pod in self.pods.values() if pod["metadata"]["name"] == path.rpartition("/")[2]]
        if method == "DELETE":
            self.api.on_delete(path)
        return found[0] if found else {"items": []}

    def new_pod(self, name: str, *, owner: str | None = "ReplicaSet", ready: bool = True) -> str:
        uid = super().new_pod(name, owner=owner, ready=ready)
        self.change(name, restarts=0)
        return uid

    def change(self, name: str, *, restarts: int) -> None:
        pod = self.pods[f"uid-{name}"]
        status = {"name": "app", "containerID": f"containerd://{restarts}", "restartCount": restarts}
        pod["status"] |= {
            "podIP": "10.1.1.9",
            "containerStatuses": [status | {"ready": True, "state": {"running": {}}}],
        }
        self.see("MODIFIED", pod)

    async def deployed(self) -> None:
        await self.begin()
        self.deploy("a", "b", "c")
        await self.wait(3)

    async def next_process(self) -> None:
        """The observer dies without a word, and another goes on."""
        self.observer.tracks.clear()
        await self.start_process()
        await self.open()

    def phases(self, fault: str) -> list[str]:
        """Since it began: that it may begin is in the record of every attempt."""
        return [each for each in super().phases(fault) if each != "armed"]

    def item(self, fault: str) -> dict[str, Any]:
        found: dict[str, Any] = self.observer.snapshot(BOX)["items"].get(f"fault/{fault}") or {}
        return found


@pytest.fixture
def shop(clock: Clock) -> Broken:
    return Broken(clock, HANG)


async def refusal(act: Any) -> tuple[str, str]:
    with pytest.raises(ActRefused) as caught:
        await act
    return caught.value.code, str(caught.value)


async def test_it_begins_in_all_its_targets_and_is_switched_back_in_time(shop: Broken) -> None:
    await shop.deployed()
    await shop.observer.start_fault(BOX, "hang")
    assert shop.switches.heard == ["hang"] * 3
    item = shop.item("hang")
    assert (item["phase"], item["kind"], item["how"], len(item["targets"])) == (
        "started",
        "slow-app",
        "hang",
        3,
    )
    assert item["until"] == pytest.approx(shop.clock.now + 20)
    assert item["text"] == "storefront: hangs, 20 s"
    assert (await refusal(shop.observer.start_fault(BOX, "hang")))[0] == "running"
    await shop.wait(19)
    assert shop.phases("hang") == ["started"]
    await shop.wait(2)
    assert shop.phases("hang") == ["started", "reverted"]
    assert shop.switches.heard[3:] == ["hang=off"] * 3
    assert shop.item("hang")["until"] is None
    await shop.observer.start_fault(BOX, "hang")  # a second try on the same Pods opens a second window
    assert shop.item("hang")["phase"] == "started"


async def test_started_with_all_that_takes_it_back_is_in_the_record_before_it_goes_out(shop: Broken) -> None:
    await shop.deployed()
    seen: list[Any] = []
    ask = shop.switches.ask

    async def look(url: str, **more: Any) -> Said:
        if more["body"]:
            seen.append(shop.kinds("fault")[-1])
        return await ask(url, **more)

    shop.switches.ask = look  # type: ignore[method-assign]
    await shop.observer.start_fault(BOX, "hang")
    assert {each["phase"] for each in seen} == {"started"}
    assert [each["off"] for each in seen[0]["undo"]["pods"]] == ["hang=off"] * 3


@pytest.mark.parametrize("away", [5.0, 60.0], ids=["in the middle", "long after"])
async def test_the_next_observer_takes_back_what_another_began(shop: Broken, away: float) -> None:
    await shop.deployed()
    await shop.observer.start_fault(BOX, "hang")
    shop.switches.heard.clear()
    shop.clock.now += away
    await shop.next_process()
    await shop.wait(21)
    assert shop.phases("hang") == ["started", "reverted"]
    assert shop.switches.heard[-3:] == ["hang=off"] * 3


async def test_a_fault_whose_call_never_went_out_goes_out_once_more(shop: Broken) -> None:
    await shop.deployed()
    await shop.observer.start_fault(BOX, "hang")
    shop.switches.heard.clear()
    await shop.next_process()
    await shop.turn()
    assert shop.switches.heard == ["hang"] * 3


async def test_what_cannot_be_taken_back_is_said_and_tried_until_it_can(shop: Broken) -> None:
    await shop.deployed()
    await shop.observer.start_fault(BOX, "hang")
    shop.switches.error = SandboxError("no stream")  # type: ignore[assignment]
    await shop.wait(30)
    assert shop.phases("hang") == ["started", "reverting"]
    assert "tried again" in shop.item("hang")["text"]
    assert shop.item("hang")["phase"] == "started"
    shop.switches.error = None
    await shop.wait(31)
    assert shop.phases("hang") == ["started", "reverting", "reverted"]
    trouble = shop.kinds("trouble")
    assert len(trouble) == 1
    assert trouble[0]["until"] - trouble[0]["from"] > 10


async def test_a_target_that_vanishes_ends_it(shop: Broken) -> None:
    await shop.deployed()
    await shop.observer.start_fault(BOX, "hang")
    shop.end_pod("a")
    shop.change("b", restarts=1)
    await shop.wait(1)
    assert shop.phases("hang") == ["started"]
    shop.end_pod("c")
    await shop.wait(1)
    assert shop.phases("hang") == ["started", "ended"]
    assert shop.item("hang")["text"] == "its target is gone"


async def test_switched_back_from_inside_does_not_count(shop: Broken) -> None:
    await shop.deployed()
    await shop.observer.start_fault(BOX, "hang")
    shop.switches.state = '{"hang": "off"}'
    await shop.wait(21)
    last = shop.kinds("fault")[-1]
    assert (last["phase"], last["ours"]) == ("failed", False)
    assert "before its time" in last["text"]


async def test_a_reset_takes_it_back_at_once(shop: Broken, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: Any) -> list[Any]:
        return []

    monkeypatch.setattr("sandbox.observing.acting.reset_namespace", nothing)
    monkeypatch.setattr("sandbox.observing.acting.apply_start", nothing)
    await shop.deployed()
    await shop.observer.start_fault(BOX, "hang")
    await shop.observer.reset(BOX, [])
    await shop.wait(1)
    assert shop.switches.heard[-3:] == ["hang=off"] * 3


async def test_an_app_without_switches_is_refused_and_nothing_begins(shop: Broken) -> None:
    await shop.deployed()
    shop.switches.error = SandboxError("no stream")  # type: ignore[assignment]
    code, text = await refusal(shop.observer.start_fault(BOX, "hang"))
    assert code == "failed"
    assert "does not answer just now" in text
    assert shop.phases("hang") == []


async def test_what_failed_in_the_middle_is_taken_back(shop: Broken) -> None:
    await shop.deployed()
    ask, left = shop.switches.ask, [2]

    async def fail_the_third(url: str, **more: Any) -> Said:
        if more["body"] == "hang":
            left[0] -= 1
            if left[0] < 0:
                raise SandboxError("no stream")
        return await ask(url, **more)

    shop.switches.ask = fail_the_third  # type: ignore[method-assign]
    assert (await refusal(shop.observer.start_fault(BOX, "hang")))[0] == "failed"
    assert shop.switches.heard == ["hang"] * 2 + ["hang=off"] * 3
    assert shop.phases("hang") == ["started", "failed"]
    assert shop.kinds("fault")[-1]["ours"] is True
    await shop.wait(30)
    assert shop.phases("hang") == ["started", "failed"]


async def test_what_failed_and_could_not_be_taken_back_is_taken_back_later(shop: Broken) -> None:
    await shop.deployed()
    ask = shop.switches.ask

    async def fail_after_the_first(url: str, **more: Any) -> Said:
        if shop.switches.heard:
            raise SandboxError("no stream")
        return await ask(url, **more)

    shop.switches.ask = fail_after_the_first  # type: ignore[method-assign]
    assert (await refusal(shop.observer.start_fault(BOX, "hang")))[0] == "failed"
    shop.switches.ask = ask  # type: ignore[method-assign]
    await shop.wait(3)
    assert shop.switches.heard == ["hang"] + ["hang=off"] * 3
    assert shop.kinds("fault")[-1]["phase"] == "reverted"
    assert shop.kinds("trouble") == []


# --- the menu ----------------------------------------------------------------------------------------
async def test_from_the_menu_on_one_pod(shop: Broken) -> None:
    await shop.deployed()
    assert await shop.observer.break_something(BOX, "slow-app", how="delay", pod="uid-b", ms=300) == "b"
    assert shop.switches.heard == ["slow=300ms"]
    item = shop.item("free-1")
    assert (item["target"], item["phase"]) == ("pod/uid-b", "started")
    same = shop.observer.break_something(BOX, "slow-app", how="spin", pod="uid-b")
    assert (await refusal(same))[0] == "running"
    await shop.wait(31)
    assert shop.phases("free-1") == ["started", "reverted"]
    await shop.observer.break_something(BOX, "fail-readiness", pod="uid-b")
    assert shop.phases("free-2") == ["started"]


async def test_what_the_lesson_means_opens_its_window(shop: Broken) -> None:
    await shop.deployed()
    await shop.observer.break_something(BOX, "slow-app", how="hang", pod="uid-b")
    assert shop.phases("hang") == ["started"]
    assert shop.switches.heard == ["hang"] * 3  # it aims at all


async def test_killing_a_pod_from_the_menu_is_deleting_it(shop: Broken) -> None:
    await shop.deployed()
    shop.observer.predict(BOX, "who-returns", "new")
    assert await shop.observer.break_something(BOX, "kill-pod", pod="uid-b") == "b"
    assert shop.phases("kill")[-1] == "started"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"kind": "cut-traffic", "pod": "uid-a"}, "refused"),
        ({"kind": "stop-node"}, "refused"),
        ({"kind": "kill-component"}, "refused"),
        ({"kind": "corrupt-config"}, "refused"),
        ({"kind": "burn"}, "refused"),
        ({"kind": "slow-app", "pod": "uid-nobody"}, "gone"),
        ({"kind": "slow-app"}, "gone"),
        ({"kind": "slow-app", "pod": "uid-a", "how": "melt"}, "unknown"),
        ({"kind": "slow-app", "pod": "uid-a", "how": "delay", "ms": 10**9}, "unknown"),
        ({"kind": "kill-pod"}, "gone"),
    ],
)
async def test_the_menu_refuses_with_a_reason(shop: Broken, asked: dict[str, Any], code: str) -> None:
    await shop.deployed()
    found, text = await refusal(shop.observer.break_something(BOX, asked.pop("kind"), **asked))
    assert found == code
    assert text.endswith(".")
    assert not [change for change in shop.kinds("fault") if change["phase"] == "started"]


async def test_not_everything_at_once(shop: Broken) -> None:
    await shop.deployed()
    for kind, pod in (("fail-readiness", "uid-a"), ("fail-readiness", "uid-b"), ("break-dns", None)):
        await shop.observer.break_something(BOX, kind, pod=pod)
    assert (await refusal(shop.observer.break_something(BOX, "fail-readiness", pod="uid-c")))[0] == "running"


async def test_names_come_back_by_themselves(shop: Broken) -> None:
    await shop.deployed()
    await shop.observer.break_something(BOX, "break-dns")
    await shop.wait(31)
    assert shop.switches.heard == ["break [] 30", "mend"]
    assert shop.phases("free-1") == ["started", "reverted"]


# --- containers --------------------------------------------------------------------------------------
async def test_a_killed_container_has_ended_when_it_has_begun_anew(shop: Broken) -> None:
    await shop.deployed()
    await shop.observer.break_something(BOX, "kill-container", how="sigkill", pod="uid-a")
    await shop.wait(2)
    assert shop.phases("free-1") == ["started"]
    shop.change("a", restarts=1)
    await shop.wait(1)
    assert shop.phases("free-1") == ["started", "ended"]


async def test_a_container_that_will_not_die_is_our_failure(shop: Broken) -> None:
    await shop.deployed()
    await shop.observer.break_something(BOX, "kill-container", how="oom", pod="uid-a")
    await shop.wait(62)
    assert shop.phases("free-1") == ["started", "failed"]
    assert shop.kinds("fault")[-1]["ours"] is True


async def test_refused_by_the_hands(shop: Broken) -> None:
    await shop.deployed()
    shop.switches.error = HandsRefused("This cluster gives nobody a way to its nodes.")  # type: ignore[assignment]
    code, text = await refusal(
        shop.observer.break_something(BOX, "kill-container", how="sigkill", pod="uid-a")
    )
    assert code == "failed"
    assert "gives nobody a way" in text
    assert shop.phases("free-1") == ["started", "failed"]


# --- many, again, by the clock -----------------------------------------------------------------------
async def test_two_of_them(clock: Clock) -> None:
    shop = Broken(clock, Fault(id="two", kind="kill-pod", target="pod:app=storefront", pick=2))
    await shop.deployed()
    await shop.observer.start_fault(BOX, "two")
    assert len(set(shop.api.deleted)) == 2
    for name in shop.api.deleted:
        assert shop.phases("two") == ["started"]
        shop.end_pod(name)
    await shop.turn()
    assert shop.phases("two") == ["started", "ended"]


async def test_one_window_over_all_repetitions(clock: Clock) -> None:
    shop = Broken(clock, Fault(id="twice", kind="kill-pod", target="pod:app=storefront", parameters=TWICE))
    shop.api.on_delete = shop.heal
    await shop.deployed()
    await shop.observer.start_fault(BOX, "twice")
    await shop.wait(3)
    assert shop.phases("twice") == ["started"]
    await shop.wait(4)
    assert shop.phases("twice") == ["started", "repeated", "ended"]
    assert len(shop.api.deleted) == 2


async def test_by_the_clock_and_not_told_before_it_is_over(clock: Clock) -> None:
    late = Fault(
        id="late", kind="slow-app", target="pod:app=storefront", by="timeline", at="start+10s", lasting=5.0
    )
    shop = Broken(clock, late)
    await shop.begin()
    assert (await refusal(shop.observer.start_fault(BOX, "late")))[0] == "not-yours"
    await shop.wait(9)
    assert shop.switches.heard == []
    await shop.wait(2)
    assert shop.switches.heard == ["slow=800ms"]
    assert shop.phases("late") == ["started"]
    assert "late" not in str(shop.frames)
    await shop.wait(6)
    item = shop.item("late")
    assert (item["phase"], item["kind"]) == ("reverted", "slow-app")
    assert item["began"] < item["at"]


async def test_the_clock_finds_nothing_to_break(clock: Clock) -> None:
    none = Fault(id="none", kind="slow-app", target="pod:app=nothing", by="timeline", at="start+1s")
    shop = Broken(clock, none)
    await shop.begin()
    await shop.wait(3)
    assert shop.phases("none") == ["failed"]
    assert [each["ours"] for each in shop.kinds("fault") if each["phase"] == "failed"] == [False]


async def test_after_a_prediction(clock: Clock) -> None:
    then = Fault(
        id="then",
        kind="fail-readiness",
        target="pod:app=storefront",
        by="prediction:who-returns",
        at="start+2s",
    )
    shop = Broken(clock, then)
    await shop.deployed()
    shop.observer.predict(BOX, "who-returns", "new")
    await shop.wait(1)
    assert shop.switches.heard == []
    await shop.wait(2)
    assert shop.switches.heard == ["ready=off"]
