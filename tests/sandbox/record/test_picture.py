from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.record import markers
from sandbox.record.delta import apply, merge
from sandbox.record.entry import Entry
from sandbox.record.picture import Picture, fold
from tests.sandbox.record.build import T0, Script, deployment, endpoints, named, node, pod, service


def test_a_pod_from_its_creation_to_its_end() -> None:
    script, picture = Script(), Picture()
    name = "storefront-7c9d8-h6wvd"
    key = f"pod/uid-{name}"

    def fed(entry: Entry) -> dict[str, Any]:
        delta = picture.feed(entry)
        assert delta is not None
        return delta.set.get(key, {})

    assert fed(script.put(pod(name)))["status"] == "Pending"
    assert fed(script.put(pod(name, node="worker-1"))) == {"node": "worker-1", "rv": "102"}
    running = fed(script.put(pod(name, node="worker-1", phase="Running")))
    assert running["status"] == "Running"
    assert "ok" not in running
    ready = fed(script.put(pod(name, node="worker-1", phase="Running", ready=True)))
    assert (ready["ok"], ready["ready"]) == (True, "1/1")
    leaving = fed(script.put(pod(name, node="worker-1", phase="Running", ready=True, deleting=T0 + 9)))
    assert (leaving["status"], leaving["deleting"]) == ("Terminating", T0 + 9)
    gone = picture.feed(script.remove(f"uid-{name}"))
    assert gone is not None
    assert gone.gone == (key,)
    said = [item["text"] for k, item in picture.items.items() if k.startswith("marker/")]
    assert said == [
        "h6wvd created",
        "h6wvd bound to worker-1",
        "h6wvd ready",
        "h6wvd terminating",
        "h6wvd gone",
    ]


def test_a_service_knows_its_pods_whatever_comes_first() -> None:
    for order in ((0, 1), (1, 0)):
        script = Script()
        both = [service(), endpoints({"a": "ready", "b": "not-ready", "c": "terminating"})]
        for index in order:
            script.put(both[index])
        item = fold(script.entries).items["service/uid-Service-storefront"]
        assert item["endpoints"] == {"a": "ready", "b": "not-ready", "c": "terminating"}
        assert (item["port"], item["selector"]) == (80, {"app": "storefront"})
    script.remove("uid-EndpointSlice-storefront-x1")
    assert fold(script.entries).items["service/uid-Service-storefront"]["endpoints"] == {}


def test_a_node_counts_the_memory_of_our_pods_until_they_end() -> None:
    script = Script()
    script.put(node("worker-1"))
    script.put(pod("a", owner=None, node="worker-1"))
    script.put(pod("b", owner=None, node="worker-1", phase="Running"))
    assert fold(script.entries).items["node/worker-1"]["req"] == 2 * 24 * 2**20
    script.put(pod("b", owner=None, node="worker-1", phase="Succeeded"))
    script.remove("uid-a")
    assert fold(script.entries).items["node/worker-1"]["req"] == 0


def test_workloads_and_other_objects() -> None:
    script = Script()
    script.put(deployment(3, ready=2))
    script.put(named("ConfigMap", "settings", data={}))
    script.put(
        named("Job", "once", spec={"completions": 2}, status={"active": 1, "succeeded": 1, "ready": 1})
    )
    items = fold(script.entries).items
    shown = items["workload/uid-Deployment-storefront"]
    assert {k: shown[k] for k in ("kind", "replicas", "there", "ready", "owner")} == {
        "kind": "Deployment",
        "replicas": 3,
        "there": 3,
        "ready": 2,
        "owner": None,
    }
    assert items["object/uid-ConfigMap-settings"] == {"t": "object", "kind": "ConfigMap", "name": "settings"}
    assert items["workload/uid-Job-once"]["available"] == 2


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("ConfigMap", "kube-root-ca.crt"),
        ("ServiceAccount", "default"),
        ("ResourceQuota", "x"),
        ("LimitRange", "x"),
        ("Role", "student"),
        ("RoleBinding", "student"),
        ("Endpoints", "storefront"),
        ("Event", "e"),
    ],
)
def test_furniture_is_not_drawn(kind: str, name: str) -> None:
    script = Script()
    script.put(named(kind, name))
    assert [key for key in fold(script.entries).items if not key.startswith("component/")] == []


def test_what_a_student_labels_is_still_drawn() -> None:
    script = Script()
    script.put(named("ConfigMap", "mine", metadata={"labels": {"glasshull.dev/part": "guard-rail"}}))
    assert "object/uid-ConfigMap-mine" in fold(script.entries).items


def test_our_network_policies_are_not_drawn_and_the_students_are() -> None:
    script = Script()
    script.put(
        named("NetworkPolicy", "default-deny", metadata={"labels": {"glasshull.dev/part": "guard-rail"}})
    )
    script.put(named("NetworkPolicy", "mine"))
    assert [key for key in fold(script.entries).items if key.startswith("object/")] == [
        "object/uid-NetworkPolicy-mine"
    ]


def test_components_say_what_the_record_shows() -> None:
    script = Script()
    name = "storefront-7c9d8-h6wvd"
    script.put(pod(name))
    script.put(pod(name, node="worker-2"))
    script.action("delete", "pods", name)
    items = fold(script.entries).items
    assert items["component/controller-manager"]["text"] == "made h6wvd"
    assert items["component/scheduler"]["text"] == "bound h6wvd"
    assert items["component/etcd"]["text"] == "rev 102"
    assert items["component/api-server"]["text"] == f"you deleted Pod {name}"


def test_the_students_acts_are_marked_and_reading_is_not() -> None:
    script = Script()
    script.put(pod("storefront", owner=None))
    script.action("delete", "pods", "storefront")
    script.action("get", "pods", "storefront")
    script.action("create", "pods", "storefront", subresource="exec")
    script.action("create", "pods", "evil", code=403)
    marks = [
        i for k, i in fold(script.entries).items.items() if k.startswith("marker/") and i["kind"] == "you"
    ]
    assert [(m["text"], m["of"]) for m in marks] == [
        ("you deleted Pod storefront", "pod/uid-storefront"),
        ("Kubernetes refused: Pod evil not created", None),
    ]


def test_an_attempt_from_start_to_mark() -> None:
    script = Script()
    script.start()
    verdict = {
        "check": "up",
        "say": "It is up",
        "state": "waiting",
        "points": 0,
        "of": 3,
        "line": "0 ready",
        "decided_by": [],
    }
    script.add("verdict", "up", verdict)
    items = fold(script.entries).items
    assert (items["attempt/now"]["state"], items["attempt/now"]["of"]) == ("running", 3)
    script.add(
        "verdict", "up", {**verdict, "state": "pass", "points": 3, "decided_by": [{"seq": 2, "why": "x"}]}
    )
    script.submit("checks")
    assert fold(script.entries).items["attempt/now"]["state"] == "closing"
    script.fault("again", "started", by="submit", target={"kind": "Pod", "name": "p", "uid": "u"})
    assert fold(script.entries).items["attempt/now"]["state"] == "testing"
    script.add("handover", "", {"attempt": 1})
    script.add("mark", "", {"attempt": 1, "points": 3, "of": 3, "provisional": False})
    items = fold(script.entries).items
    assert (items["attempt/now"]["state"], items["attempt/now"]["points"]) == ("marked", 3)
    assert (items["check/up"]["seq"], items["check/up"]["state"]) == (2, "pass")
    assert [i["text"] for i in items.values() if i["t"] == "marker"] == [
        "check passed: It is up",
        "every check passed",
        "we killed p",
        "marked: 3 of 3",
    ]
    script.start(2)
    items = fold(script.entries).items
    assert "check/up" not in items
    assert "fault/again" not in items
    assert items["attempt/now"]["n"] == 2


def test_a_second_without_a_failure_says_that_a_probe_is_well() -> None:
    script = Script()
    script.probe(ok=True)
    script.start()
    script.summary(sent=4, failed=0)
    assert fold(script.entries).items["probe/front"]["ok"] is True


def test_a_start_clears_probes_and_hints() -> None:
    script = Script()
    script.start()
    script.probe(ok=False, error="refused")
    script.summary(sent=4, failed=1)
    script.add("hint", "h", {"id": "h", "phase": "offered", "n": 0, "most": 2})
    items = fold(script.entries).items
    assert items["probe/front"] == {
        "t": "probe",
        "ok": False,
        "status": 503,
        "ms": 3.0,
        "error": "refused",
        "sent": 4,
        "failed": 1,
        "p95": None,
        "pod": None,
        "pods": {},
    }
    assert (items["hint/now"]["offered"], items["hint/now"]["say"]) == (True, None)
    script.add("reset", "", {"attempt": 1})
    assert not {"probe/front", "hint/now"} & fold(script.entries).items.keys()


def test_a_start_counts_anew_and_keeps_how_the_shop_answered() -> None:
    """Good answers are told once: without this a shop that always answers would be shown as one that never did."""
    script = Script()
    script.probe(ok=True)
    script.summary(sent=4, failed=0)
    script.start()
    script.summary(sent=4, failed=0)
    item = fold(script.entries).items["probe/front"]
    assert (item["ok"], item["sent"], item["failed"]) == (True, 4, 0)
    script.add("reset", "", {"attempt": 1})
    script.start()
    assert "probe/front" not in fold(script.entries).items


def test_lost_requests_count_to_the_fault_they_fell_into() -> None:
    script = Script()
    script.probe(ok=False)
    script.fault("kill", "started", by="student", target={"kind": "Pod", "name": "p", "uid": "u"}, settle=5)
    script.probe(ok=False)
    script.fault("kill", "ended")
    script.probe(ok=False)
    script.wait(6)
    script.probe(ok=False)
    item = fold(script.entries).items["fault/kill"]
    assert (item["lost"], item["phase"], item["target"]) == (2, "ended", "pod/u")


def test_a_prediction_shows_no_answer_before_it_is_due() -> None:
    script = Script()
    script.predict("who", "new")
    assert fold(script.entries).items["prediction/who"] == {
        "t": "prediction",
        "value": "new",
        "at": script.at,
        "observed": None,
        "right": None,
        "why": None,
        "pairs": None,
    }
    script.add("prediction", "who", {"id": "who", "observed": ["new"], "right": True})
    assert fold(script.entries).items["prediction/who"]["right"] is True


def test_an_answer_is_an_item_of_its_own_with_one_marker() -> None:
    script = Script()
    script.start()
    said = script.add("answer", "history", {"id": "history", "value": {"a": "1"}, "why": "Because."})
    script.add(
        "answer", "history", {"id": "history", "observed": [{"a": "1"}], "right": True, "pairs": [1, 1]}
    )
    items = fold(script.entries).items
    assert items["answer/history"] == {
        "t": "answer",
        "value": {"a": "1"},
        "at": said.at,
        "observed": [{"a": "1"}],
        "right": True,
        "why": "Because.",
        "pairs": [1, 1],
    }
    told = [item["text"] for item in items.values() if item.get("of") == "answer/history"]
    assert told == ["you answered a question"]
    script.start(2)
    assert "answer/history" not in fold(script.entries).items


def test_only_the_newest_markers_stay() -> None:
    script = Script()
    for _ in range(markers.MOST + 5):
        script.predict("p", "x")
    items = fold(script.entries).items
    kept = [key for key in items if key.startswith("marker/")]
    assert (len(kept), kept[0]) == (markers.MOST, "marker/6")


def test_the_life_of_a_sandbox() -> None:
    script = Script()
    script.add("phase", "", {"phase": "preparing", "place": 2, "text": "Waking"})
    script.add(
        "phase", "", {"phase": "ready", "phases": [{"name": "namespace", "ms": 12}], "place": 0, "text": ""}
    )
    item = fold(script.entries).items["sandbox/self"]
    assert (item["phase"], item["place"], item["phases"]) == ("ready", 0, [{"name": "namespace", "ms": 12}])
    assert fold(script.entries).snapshot({"expires": 5.0})["items"]["sandbox/self"]["expires"] == 5.0


def test_an_entry_seen_before_changes_nothing() -> None:
    script = Script()
    script.put(pod())
    picture = fold(script.entries)
    assert picture.feed(script.entries[0]) is None


def test_a_frame_names_its_first_entry_only_when_it_covers_several() -> None:
    script, picture = Script(), Picture()
    deltas = [picture.feed(script.predict("p", n)) for n in range(3)]
    assert "from" not in deltas[0].frame()
    assert merge(deltas).frame()["from"] == 1
    with pytest.raises(ValueError, match="no delta"):
        merge([])


NAMES = st.sampled_from(["storefront-7c9d8-aaaaa", "storefront-7c9d8-bbbbb", "lone"])
ACTS = st.one_of(
    st.tuples(st.just("pod"), NAMES, st.booleans(), st.sampled_from(["", "worker-1", "worker-2"])),
    st.tuples(st.just("remove"), NAMES),
    st.tuples(
        st.just("slice"), st.dictionaries(NAMES, st.sampled_from(["ready", "not-ready", "terminating"]))
    ),
    st.tuples(st.just("probe"), st.booleans()),
    st.tuples(st.just("verdict"), st.sampled_from(["pass", "waiting", "fail"])),
    st.tuples(st.sampled_from(["start", "reset", "service", "node", "fault", "hint", "predict", "submit"])),
)


def played(acts: list[tuple[Any, ...]]) -> list[Entry]:
    script = Script()
    for act in acts:
        match act:
            case ("pod", name, ready, where):
                script.put(pod(name, ready=ready, node=where, phase="Running" if ready else "Pending"))
            case ("remove", name) if f"uid-{name}" in script._known:
                script.remove(f"uid-{name}")
            case ("slice", pods):
                script.put(endpoints(pods))
            case ("probe", ok):
                script.probe(ok=ok)
            case ("verdict", state):
                script.add("verdict", "c", {"say": "c", "state": state, "points": 0, "of": 1})
            case ("start",):
                script.start()
            case ("service",):
                script.put(service())
            case ("node",):
                script.put(node("worker-1"))
            case ("fault",):
                script.fault("kill", "started", target={"kind": "Pod", "uid": "uid-lone", "name": "lone"})
            case ("hint",):
                script.add("hint", "h", {"id": "h", "phase": "opened", "say": "look", "n": 1, "most": 1})
            case ("predict",):
                script.predict("p", 1)
            case ("submit" | "reset" as kind,):
                script.add(kind, "", {"attempt": 1})
    return script.entries


@settings(max_examples=150, deadline=None)
@given(st.lists(ACTS, max_size=40), st.lists(st.integers(0, 40), max_size=6), st.integers(0, 40))
def test_L2_snapshot_and_any_merged_deltas_give_the_later_snapshot(
    acts: list[tuple[Any, ...]], cuts: list[int], begin: int
) -> None:
    entries = played(acts)
    picture = Picture()
    for entry in entries[:begin]:
        picture.feed(entry)
    items = picture.snapshot()["items"]
    deltas = [delta for entry in entries[begin:] if (delta := picture.feed(entry)) is not None]
    borders = sorted({0, len(deltas), *(cut for cut in cuts if cut < len(deltas))})
    expected_first = min(begin, len(entries)) + 1
    for low, high in itertools.pairwise(borders):
        merged = merge(deltas[low:high])
        assert merged.first == expected_first
        expected_first = merged.seq + 1
        items = apply(items, merged)
    assert items == picture.snapshot()["items"]
    assert items == fold(entries).items
