"""What the page is told of a fault: all of it, or, of one by the clock, nothing before it is over."""

from __future__ import annotations

from typing import Any

from sandbox.record.picture import Picture, fold
from tests.sandbox.record.build import Script, pod

TARGETS = [{"kind": "Pod", "name": name, "uid": f"uid-{name}"} for name in ("a", "b")]
HANG = {
    "kind": "slow-app",
    "how": "hang",
    "until": 1_764_000_100.0,
    "targets": TARGETS,
    "target": TARGETS[0],
    "undo": {"pods": [{"ip": "10.1.1.7", "on": "hang", "off": "hang=off"}]},
    "text": "shop: hangs, 20 s",
    "settle": 5.0,
}


def script() -> Script:
    made = Script()
    made.put(pod("a", "uid-a"))
    made.put(pod("b", "uid-b"))
    made.start()
    return made


def item(made: Script, fault: str) -> dict[str, Any]:
    return fold(made.entries).items[f"fault/{fault}"]


def said(made: Script, kind: str) -> list[str]:
    items = fold(made.entries).items.values()
    return [str(each["text"]) for each in items if each["t"] == "marker" and each["kind"] == kind]


def test_all_targets_kind_and_end_of_a_fault_that_lasts() -> None:
    made = script()
    made.fault("hang", "started", by="student", **HANG)
    found = item(made, "hang")
    assert found["targets"] == ["pod/uid-a", "pod/uid-b"]
    assert found["target"] == "pod/uid-a"
    assert (found["kind"], found["how"], found["until"]) == ("slow-app", "hang", HANG["until"])
    assert found["began"] == found["at"]
    assert "10.1.1.7" not in str(fold(made.entries).snapshot())
    assert said(made, "fault") == ["you broke this: shop: hangs, 20 s"]
    made.wait(20)
    made.fault("hang", "reverted", by="student", kind="slow-app", text=HANG["text"])
    found = item(made, "hang")
    assert (found["phase"], found["until"]) == ("reverted", None)
    assert found["at"] - found["began"] >= 20
    assert said(made, "fault") == ["you broke this: shop: hangs, 20 s"]  # only a start begins the time axis
    assert "taken back: it is well again" in said(made, "event")


def test_going_on_is_no_new_start() -> None:
    made = script()
    made.fault("hang", "started", by="student", **HANG)
    began = item(made, "hang")["began"]
    made.wait(5)
    made.fault("hang", "reverting", by="student", kind="slow-app", text="not yet")
    made.fault("hang", "repeated", by="student", **HANG)
    found = item(made, "hang")
    assert (found["phase"], found["began"], found["at"]) == ("started", began, began)


def test_a_fault_of_the_clock_is_told_when_it_is_over() -> None:
    made = script()
    made.fault("noon", "armed", by="timeline", needs=["x"])
    made.fault("noon", "started", by="timeline", **HANG)
    began = made.entries[-1].at
    made.probe("front", ok=False)
    made.probe("front", ok=False)
    picture = Picture()
    told = [picture.feed(entry) for entry in made.entries]
    assert "noon" not in str(told)
    assert "hang" not in str(told)
    made.fault("noon", "reverted", by="timeline", kind="slow-app", text="")
    found = item(made, "noon")
    assert (found["phase"], found["kind"], found["text"]) == ("reverted", "slow-app", "shop: hangs, 20 s")
    assert (found["began"], found["lost"], found["targets"]) == (began, 2, ["pod/uid-a", "pod/uid-b"])
    assert said(made, "event")[-1] == "this was broken, and is over: shop: hangs, 20 s"


def test_a_start_forgets_what_was_not_told() -> None:
    made = script()
    made.fault("noon", "started", by="timeline", **HANG)
    made.start()
    made.fault("noon", "reverted", by="timeline", kind="slow-app", text="")
    assert item(made, "noon")["text"] == ""
