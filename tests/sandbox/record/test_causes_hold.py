"""What holds of every chain: order, honesty about evidence, and its price; on real and on random records."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.record.causes import Causes, Hop
from sandbox.record.entry import Entry
from sandbox.record.markers import kind_of
from tests.sandbox.record.build import T0, deployment, endpoints
from tests.sandbox.record.test_causes import Story, event, kept, replica_set, written
from tests.sandbox.record.test_recordings import FOUND, NAMES, recording_of


def is_about(entry: Entry, hop: Hop, names: dict[str, tuple[str, str]]) -> bool:
    """Whether an entry speaks of the hop's object, said a second time and differently."""
    uid = str(hop.of).partition("/")[2]
    kind, name = names.get(uid, ("", ""))
    if entry.kind == "action":
        resource = kind_of(entry.change["resource"])
        return resource == kind and entry.change["name"] in ("", name)
    if entry.kind == "fault":
        return uid in [each["uid"] for each in entry.change.get("targets", [entry.change["target"]])]
    object_ = entry.change["object"]
    if entry.change["kind"] == "Event":
        return object_["involvedObject"]["uid"] == uid or name in object_["message"].split()
    if entry.change["kind"] == "EndpointSlice":
        owners = [each["uid"] for each in object_["metadata"].get("ownerReferences", [])]
        listed = [each["targetRef"]["uid"] for each in object_["endpoints"] or []]
        return uid in (*owners, *listed, entry.uid)
    return entry.uid == uid


def hold(entries: Sequence[Entry]) -> None:
    """Every rule, for the chain of every entry."""
    known, by_seq = Causes(entries), {entry.seq: entry for entry in entries}
    names = {
        entry.uid: (entry.change["kind"], entry.change["object"]["metadata"]["name"])
        for entry in entries
        if entry.kind == "object"
    }
    for entry in entries:
        hops = known.trace(entry.seq)
        assert hops, entry
        assert [hop.n for hop in hops] == list(range(1, len(hops) + 1))
        shown = [hop.seq for hop in hops if hop.seq is not None]
        assert shown == sorted(shown)
        assert all(seq <= entry.seq for seq in shown)
        assert [hop.at for hop in hops] == sorted(hop.at for hop in hops)
        for hop in hops:
            assert (hop.how == "inferred") is bool(hop.missing)
            assert hop.evidence
            assert hop.text
            assert hop.how == "inferred" or hop.cites
            if hop.of is None:
                continue
            for seq in (*hop.cites, *([] if hop.seq is None else [hop.seq])):
                assert is_about(by_seq[seq], hop, names), (entry.seq, hop)


@pytest.mark.parametrize("path", FOUND, ids=NAMES)
def test_the_rules_hold_on_a_real_record(path: Path) -> None:
    hold(recording_of(path)[1].entries)


@pytest.mark.parametrize("path", FOUND, ids=NAMES)
def test_real_pods_come_from_the_student_or_the_start(path: Path) -> None:
    entries = recording_of(path)[1].entries
    known = Causes(entries)
    made = [entry for entry in entries if entry.kind == "object" and entry.change["kind"] == "Pod"]
    begun = {known.trace(entry.seq)[0].actor for entry in made}
    assert begun <= {"student", "platform"}


def test_the_replacement_of_lesson_14_leads_back_to_the_kill() -> None:
    path = next(
        each for each in FOUND if each.parents[2].name == "14-self-healing" and "solution" in each.name
    )
    entries = recording_of(path)[1].entries
    killed = next(entry for entry in entries if entry.kind == "fault" and entry.change["phase"] == "started")
    new = next(
        entry
        for entry in entries
        if entry.seq > killed.seq and entry.kind == "object"
        and (entry.change["op"], entry.change["kind"]) == ("ADDED", "Pod")
    )  # fmt: skip
    hops = Causes(entries).trace(new.seq)
    assert [hop.actor for hop in hops] == [
        "student", "api-server", "etcd", "replicaset-controller", "replicaset-controller",
    ]  # fmt: skip
    assert hops[0].seq == killed.seq
    assert [hop.how for hop in hops] == ["observed", "observed", "observed", "inferred", "observed"]


def test_the_latest_of_lesson_14_is_the_wish_followed() -> None:
    path = next(
        each for each in FOUND if each.parents[2].name == "14-self-healing" and "solution" in each.name
    )
    known = Causes(recording_of(path)[1].entries)
    seq = known.latest()
    assert seq is not None
    stages = [hop.stage for hop in known.trace(seq)]
    assert list(dict.fromkeys(stages)) == [
        "request", "object", "controller", "scheduler", "kubelet", "container", "probe", "endpoints",
    ]  # fmt: skip


def test_a_first_apply_is_observed_from_end_to_end() -> None:
    """Lesson 12's promise, on the record of a real run: with the cluster's Events nothing is inferred."""
    path = next(each for each in FOUND if each.parents[2].name == "12-first-app" and "solution" in each.name)
    known = Causes(recording_of(path)[1].entries)
    seq = known.latest()
    assert seq is not None
    hops = known.trace(seq)
    assert {hop.how for hop in hops} == {"observed"}
    assert (hops[0].actor, hops[-1].actor) == ("student", "endpointslice-controller")


# --- random lives -----------------------------------------------------------------------------------
PODS = ["uid-p1", "uid-p2", "uid-p3"]
Step = Callable[[Story], Any]


def _gone(story: Story, uid: str) -> None:
    if uid in story._known:
        story.remove(uid)


def _slice(story: Story, states: dict[str, str]) -> None:
    story.put(kept(endpoints(states)))


def _target(uid: str) -> dict[str, str]:
    return {"kind": "Pod", "name": f"storefront-7c9d8-{uid[-2:]}", "uid": uid}


def steps() -> st.SearchStrategy[Step]:
    uid = st.sampled_from(PODS)
    copies = st.integers(0, 3)
    state = st.fixed_dictionaries(
        {"phase": st.sampled_from(["Pending", "Running", "Succeeded", "Failed"]), "ready": st.booleans()},
        optional={"deleting": st.just(T0 + 5), "restarts": st.integers(0, 2)},
    )
    valves = st.dictionaries(uid, st.sampled_from(["ready", "not-ready", "terminating"]), max_size=3)
    kinds = st.sampled_from([("pods", "storefront-7c9d8-p1"), ("deployments", "storefront")])
    verbs = st.sampled_from(["create", "patch", "delete", "deletecollection", "scale", "exec"])
    return st.one_of(
        copies.map(lambda n: lambda story: story.put(written(deployment(n), "kubectl"))),
        copies.map(lambda n: lambda story: story.put(replica_set(n))),
        uid.map(lambda one: lambda story: story.makes(one)),
        uid.map(lambda one: lambda story: story.binds(one)),
        st.tuples(uid, state).map(lambda two: lambda story: story.state(two[0], **two[1])),
        st.sampled_from([*PODS, "uid-owner", "uid-Deployment-storefront"]).map(
            lambda one: lambda story: _gone(story, one)
        ),
        valves.map(lambda each: lambda story: _slice(story, each)),
        st.tuples(verbs, kinds, st.sampled_from([200, 201, 404])).map(
            lambda all_: lambda story: story.action(all_[0], *all_[1], code=all_[2])
        ),
        uid.map(lambda one: lambda story: story.fault("kill", "started", by="student", target=_target(one))),
        uid.map(lambda one: lambda story: story.put(event(one, "Scheduled", "default-scheduler"))),
        st.floats(0.1, 20).map(lambda seconds: lambda story: story.wait(seconds)),
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(steps(), max_size=25))
def test_the_rules_hold_on_any_record(life: list[Step]) -> None:
    story = Story()
    for step in life:
        step(story)
    hold(story.entries)


# --- the price --------------------------------------------------------------------------------------
def calls(work: Callable[[], Any]) -> int:
    """How many Python functions `work` enters: a price that no other program on the machine changes."""
    count = 0

    def seen(frame: Any, what: str, argument: Any) -> None:
        nonlocal count
        count += what == "call"

    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def many(times: int) -> list[Entry]:
    story = Story()
    story.applies(times)
    for n in range(times):
        story.comes_up(f"uid-{n:04}")
        story.probe(ok=False)
    return story.entries


def test_the_price_grows_with_the_record_and_no_faster() -> None:
    small, large = many(50), many(400)
    of_small = calls(lambda: Causes(small).trace(small[-1].seq))
    of_large = calls(lambda: Causes(large).trace(large[-1].seq))
    assert of_large < of_small * 8 * 1.1


def test_a_collection_cut_down_to_one_by_its_name_is_a_request_for_that_one() -> None:
    story = Story()
    story.action("deletecollection", "pods", "storefront-7c9d8-p1")
    story.state("uid-p2", phase="Pending", ready=False, deleting=T0 + 5)
    story.state("uid-p1", phase="Pending", ready=False, deleting=T0 + 5)
    hold(story.entries)
    known = Causes(story.entries)
    requests = [{hop.seq for hop in known.trace(seq) if hop.stage == "request"} for seq in (2, 3)]
    assert requests == [{None}, {1}]  # whose wish the other one was is not known
