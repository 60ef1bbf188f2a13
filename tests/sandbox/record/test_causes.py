"""Chains of causes in records written by hand: each hop with its evidence, or with what is missing."""

from __future__ import annotations

from typing import Any

from sandbox.record.causes import Causes, Hop, trace
from tests.sandbox.record.build import T0, Script, deployment, endpoints, named, pod, service

POD, REPLICA_SET, DEPLOYMENT = "uid-p1", "uid-owner", "uid-Deployment-storefront"
SIX = ["request", "object", "controller", "scheduler", "kubelet", "container"]


def written(object_: dict[str, Any], *managers: str, status: str = "") -> dict[str, Any]:
    """The object as if these field managers had written it."""
    fields = [{"manager": each, "operation": "Update"} for each in managers]
    if status:
        fields.append({"manager": status, "operation": "Update", "subresource": "status"})
    return {**object_, "metadata": {**object_["metadata"], "managedFields": fields}}


def replica_set(replicas: int = 1, owner: str = DEPLOYMENT) -> dict[str, Any]:
    metadata = {
        "uid": REPLICA_SET,
        "ownerReferences": [{"kind": "Deployment", "name": "storefront", "uid": owner, "controller": True}],
    }
    made = named("ReplicaSet", "storefront-7c9d8", metadata=metadata, spec={"replicas": replicas})
    return written(made, "kube-controller-manager")


def event(about: str, reason: str, reporter: str, message: str = "") -> dict[str, Any]:
    return named(
        "Event",
        f"{about}-{reason}",
        involvedObject={"uid": about},
        reason=reason,
        message=message,
        reportingComponent=reporter,
    )


def with_probe(made: dict[str, Any]) -> dict[str, Any]:
    made["spec"]["containers"][0]["readinessProbe"] = {"httpGet": {"path": "/readyz"}}
    return made


class Story(Script):
    """A cluster at work: each call is what one of its parts does."""

    def applies(self, copies: int = 1, *, audit: bool = True) -> None:
        if audit:
            self.action("create", "deployments", "storefront", through="editor", code=201)
        self.put(written(deployment(copies), "glasshull-editor"))
        self.put(replica_set(copies))

    def makes(self, uid: str = POD, owner: str | None = "ReplicaSet", node: str = "") -> None:
        self.put(
            written(
                with_probe(pod(f"storefront-7c9d8-{uid[-2:]}", uid, owner=owner, node=node)),
                "kube-controller-manager",
            )
        )

    def state(self, uid: str = POD, **fields: Any) -> None:
        fields.setdefault("node", "worker-2")
        made = pod(f"storefront-7c9d8-{uid[-2:]}", uid, **fields)
        self.put(written(with_probe(made), "kube-controller-manager", status="kubelet"))

    def binds(self, uid: str = POD) -> None:
        self.put(
            written(
                with_probe(pod(f"storefront-7c9d8-{uid[-2:]}", uid, node="worker-2")),
                "kube-controller-manager",
            )
        )

    def comes_up(self, uid: str = POD, *, told: bool = True) -> None:
        """From made to served, with the Events of the cluster if `told`."""
        self.makes(uid)
        if told:
            self.put(
                event(
                    REPLICA_SET,
                    "SuccessfulCreate",
                    "replicaset-controller",
                    f"Created pod: storefront-7c9d8-{uid[-2:]}",
                )
            )
        self.binds(uid)
        if told:
            self.put(event(uid, "Scheduled", "default-scheduler"))
        self.state(uid, waiting="ContainerCreating")
        self.state(uid, phase="Running")
        if told:
            self.put(event(uid, "Pulled", "kubelet"))
            self.put(event(uid, "Started", "kubelet"))
        self.state(uid, phase="Running", ready=True)

    def chain(self, seq: int | None = None) -> list[Hop]:
        return trace(self.entries, len(self.entries) if seq is None else seq)


def actors(hops: list[Hop]) -> list[str]:
    return [hop.actor for hop in hops]


def inferred(hops: list[Hop]) -> list[str]:
    return [hop.actor for hop in hops if hop.how == "inferred"]


def kept(slice_: dict[str, Any]) -> dict[str, Any]:
    labels = {
        **slice_["metadata"]["labels"],
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    owner = [{"kind": "Service", "name": "storefront", "uid": "uid-Service-storefront", "controller": True}]
    metadata = {**slice_["metadata"], "labels": labels, "ownerReferences": owner}
    return {**slice_, "metadata": metadata}


def test_an_apply_is_followed_to_the_customers() -> None:
    story = Story()
    story.put(service())
    story.applies()
    story.comes_up()
    story.put(kept(endpoints({POD: "ready"})))
    hops = story.chain()
    assert actors(hops) == [
        "student", "api-server", "etcd", "deployment-controller", "replicaset-controller", "scheduler",
        "kubelet", "container", "probe", "endpointslice-controller",
    ]  # fmt: skip
    assert inferred(hops) == []
    stages = [hop.stage for hop in hops]
    assert list(dict.fromkeys(stages)) == [*SIX, "probe", "endpoints"]
    assert [hop.n for hop in hops] == list(range(1, 11))
    assert hops[0].text == "You asked for Deployment storefront in the editor."
    assert hops[0].evidence == "audit log, entry 2: create deployments/storefront"
    assert hops[5].text == "The scheduler chose worker-2 for p1."
    assert "Event Scheduled from default-scheduler" in hops[5].evidence
    assert hops[-1].text == "Service storefront sends to p1."
    assert hops[-1].of == "service/uid-Service-storefront"


def test_without_events_the_binding_is_seen_and_its_maker_inferred() -> None:
    story = Story()
    story.applies()
    story.comes_up(told=False)
    hops = story.chain()
    assert inferred(hops) == ["scheduler"]
    scheduler = hops[actors(hops).index("scheduler")]
    assert "nodeName worker-2" in scheduler.evidence
    assert "no Event Scheduled" in str(scheduler.missing)


def test_an_event_of_somebody_else_is_no_evidence() -> None:
    story = Story()
    story.applies()
    story.comes_up(told=False)
    story.put(event(POD, "Scheduled", "my-own-scheduler"))
    hops = story.chain(seq=len(story.entries) - 1)
    assert inferred(hops) == ["scheduler"]


def test_a_chain_ends_with_what_its_entry_shows() -> None:
    story = Story()
    story.applies()
    story.comes_up(told=False)
    ends = {seq: hops[-1].actor for seq in range(1, 9) if (hops := story.chain(seq))}
    assert ends == {
        1: "api-server", 2: "etcd", 3: "deployment-controller", 4: "replicaset-controller",
        5: "scheduler", 6: "kubelet", 7: "container", 8: "probe",
    }  # fmt: skip


def test_an_audit_line_that_came_late_is_shown_at_its_effect() -> None:
    story = Story()
    story.put(written(deployment(1), "kubectl-client-side-apply"))
    story.wait(0.1)
    late = story.action("create", "deployments", "storefront", code=201)
    hops = story.chain(1)
    assert actors(hops) == ["student", "api-server", "etcd"]
    assert [hop.seq for hop in hops] == [1, 1, 1]
    assert hops[0].cites == (late.seq,)
    assert hops[0].at == hops[2].at
    assert hops[0].how == "observed"


def test_a_cause_of_another_kind_that_came_late_is_shown_at_no_entry() -> None:
    story = Story()
    story.put(written(deployment(1), "glasshull-editor"))
    made = replica_set()
    story.makes()
    story.put(made)
    # The cluster made the ReplicaSet first; its watch was slower.
    story.entries[2].change["resourceVersion"], story.entries[1].change["resourceVersion"] = "102", "103"
    hops = story.chain(2)
    assert actors(hops)[-2:] == ["deployment-controller", "replicaset-controller"]
    assert [hop.seq for hop in hops][-2:] == [None, 2]


def test_a_request_is_not_taken_for_another_change_long_after() -> None:
    story = Story()
    story.applies()
    story.action("patch", "deployments", "storefront")
    story.wait(60)
    story.put(written(deployment(5), "kube-controller-manager"))
    hops = story.chain()
    assert actors(hops) == ["api-server", "etcd"]
    assert inferred(hops) == ["api-server"]


def test_what_nobody_asked_for_says_so() -> None:
    story = Story()
    story.put(named("ConfigMap", "settings", data={"a": "1"}))
    hops = story.chain()
    assert inferred(hops) == ["api-server"]
    assert "audit log" in str(hops[0].missing)


def test_what_the_lesson_began_with_is_ours() -> None:
    story = Story()
    story.put(written(pod(owner=None), "glasshull-start"))
    hops = story.chain()
    assert actors(hops) == ["platform", "api-server", "etcd"]


def test_a_student_who_signs_as_a_controller_is_still_the_student() -> None:
    story = Story()
    story.applies()
    story.action("create", "pods", "storefront-7c9d8-p1", code=201)
    story.makes()
    assert actors(story.chain()) == ["student", "api-server", "etcd"]


def test_a_kill_leads_to_the_replacement() -> None:
    story = Story()
    story.applies()
    story.comes_up("uid-p1")
    fault = story.fault(
        "kill",
        "started",
        by="student",
        target={"kind": "Pod", "name": "storefront-7c9d8-p1", "uid": "uid-p1"},
    )
    story.state("uid-p1", phase="Running", ready=True, deleting=T0 + 9)
    story.action("delete", "pods", "storefront-7c9d8-p1", through="picture")
    story.makes("uid-p2")
    hops = story.chain()
    assert actors(hops) == [
        "student", "api-server", "etcd", "replicaset-controller", "replicaset-controller",
    ]  # fmt: skip
    assert hops[0].text == "You killed Pod p1."
    assert hops[0].seq == fault.seq
    assert hops[3].text == "The ReplicaSet controller counted one Pod too few."
    assert inferred(hops) == ["replicaset-controller"]
    assert hops[4].text == "The ReplicaSet controller made Pod p2."
    assert hops[4].how == "observed"


def test_our_own_kill_is_ours() -> None:
    story = Story()
    story.applies()
    story.comes_up()
    story.fault("again", "started", by="submit", target={"kind": "Pod", "name": "x", "uid": POD})
    story.state(phase="Running", deleting=T0 + 9)
    hops = story.chain()
    assert hops[0].text == "We killed Pod p1."
    assert inferred(hops) == ["api-server"]


def test_two_losses_at_once_leave_open_which_was_replaced() -> None:
    story = Story()
    story.applies(2)
    story.comes_up("uid-p1")
    story.comes_up("uid-p2")
    for uid in ("uid-p1", "uid-p2"):
        story.state(uid, phase="Running", deleting=T0 + 9)
        story.action("delete", "pods", f"storefront-7c9d8-{uid[-2:]}")
    story.makes("uid-p3")
    first = story.chain()
    story.makes("uid-p4")
    second = story.chain()
    assert "Another place was free" in str(first[3].missing)
    assert first[2].of == "pod/uid-p1"
    assert second[2].of == "pod/uid-p2"
    assert "Another place" not in str(second[3].missing)


def test_a_pod_is_let_go_because_fewer_are_wanted() -> None:
    story = Story()
    story.applies(2)
    story.comes_up("uid-p1")
    story.comes_up("uid-p2")
    story.action("scale", "deployments", "storefront", subresource="scale")
    story.put(written(deployment(1), "kubectl"))
    story.put(replica_set(1))
    story.state("uid-p2", phase="Running", deleting=T0 + 9)
    quiet = story.chain()
    assert actors(quiet) == [
        "student", "api-server", "etcd", "deployment-controller", "replicaset-controller", "etcd",
    ]  # fmt: skip
    assert inferred(quiet) == ["replicaset-controller"]
    seq = len(story.entries)
    story.put(
        event(REPLICA_SET, "SuccessfulDelete", "replicaset-controller", "Deleted pod: storefront-7c9d8-p2")
    )
    assert inferred(story.chain(seq)) == []


def test_a_deleted_deployment_takes_its_pods_along() -> None:
    story = Story()
    story.applies()
    story.comes_up()
    story.action("delete", "deployments", "storefront")
    story.remove(DEPLOYMENT)
    story.remove(REPLICA_SET)
    story.state(phase="Running", deleting=T0 + 9)
    hops = story.chain()
    assert actors(hops) == [
        "student", "api-server", "etcd", "garbage-collector", "etcd", "garbage-collector", "etcd",
    ]  # fmt: skip
    assert inferred(hops) == ["garbage-collector", "garbage-collector"]


def test_the_way_out_names_the_kubelet_and_the_removal() -> None:
    story = Story()
    story.applies()
    story.comes_up()
    story.action("delete", "pods", "storefront-7c9d8-p1")
    story.state(phase="Running", deleting=T0 + 9)
    story.state(phase="Succeeded", deleting=T0 + 9)
    story.remove(POD)
    hops = story.chain()
    assert actors(hops) == ["student", "api-server", "etcd", "kubelet", "etcd"]
    assert hops[-1].text == "Pod p1 is removed from etcd."


def test_a_deletion_without_a_name_is_not_guessed() -> None:
    story = Story()
    story.applies()
    story.comes_up()
    story.state(phase="Running", deleting=T0 + 9)
    hops = story.chain()
    assert actors(hops) == ["api-server", "etcd"]
    assert hops[0].missing == "Nothing that may be told by now says who asked for the deletion."


def test_a_service_stops_sending_when_the_probe_fails() -> None:
    story = Story()
    story.applies()
    story.comes_up()
    story.put(kept(endpoints({POD: "ready"})))
    story.state(phase="Running", ready=False)
    story.put(kept(endpoints({POD: "not-ready"})))
    hops = story.chain()
    assert [hop.text for hop in hops][-3:] == [
        "The readiness probe of p1 got a good answer.",
        "The readiness probe of p1 got no good answer.",
        "Service storefront no longer sends to p1.",
    ]


def test_a_container_that_ended_says_how() -> None:
    story = Story()
    story.applies()
    story.comes_up()
    dead = pod("storefront-7c9d8-p1", POD, node="worker-2", restarts=1)
    dead["status"]["containerStatuses"] = [
        {
            "name": "app",
            "restartCount": 1,
            "state": {"running": {}},
            "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
        }
    ]
    story.put(written(dead, "kube-controller-manager", status="kubelet"))
    hops = story.chain()
    ended = next(hop for hop in hops if hop.text == "Container app of p1 ended.")
    assert ended.evidence.startswith("OOMKilled, exit code 137")


def test_found_after_a_break_is_not_called_seen() -> None:
    story = Story()
    story.applies()
    made = written(pod("storefront-7c9d8-p1", POD), "kube-controller-manager")
    story.put(made, synthetic=True)
    assert "break" in str(story.chain()[-1].missing)


def test_a_ring_of_owners_ends() -> None:
    story = Story()
    other = {"kind": "ReplicaSet", "name": "storefront-7c9d8", "uid": REPLICA_SET, "controller": True}
    story.put(named("Deployment", "storefront", metadata={"ownerReferences": [other]}, spec={"replicas": 1}))
    story.put(replica_set())
    story.put(replica_set(2))
    story.put(named("Deployment", "storefront", metadata={"ownerReferences": [other]}, spec={"replicas": 2}))
    assert 0 < len(story.chain()) < 12
    story.remove(REPLICA_SET)
    story.remove(DEPLOYMENT)
    assert 0 < len(story.chain()) < 12


def test_a_refused_request_stands_alone() -> None:
    story = Story()
    story.action("create", "deployments", "storefront", code=403)
    story.put(named("ConfigMap", "settings"))
    assert [hop.text for hop in story.chain(1)] == [
        "You asked for Deployment storefront in the terminal.",
        "The API server refused the request.",
    ]


def test_a_verdict_is_followed_to_what_decided_it() -> None:
    story = Story()
    story.applies()
    story.comes_up()
    decided = len(story.entries)
    story.add(
        "verdict", "up", {"say": "Ready", "state": "pass", "decided_by": [{"seq": decided, "why": "ready"}]}
    )
    hops = story.chain()
    assert actors(hops)[0] == "student"
    assert (hops[-1].actor, hops[-2].seq) == ("checks", decided)


def test_what_the_record_does_not_hold_has_no_chain() -> None:
    story = Story()
    story.applies()
    assert trace(story.entries, 99) == []
    assert trace([], 1) == []


def test_an_entry_of_a_newer_version_tells_only_of_itself() -> None:
    story = Story()
    story.add("weather", "fog", {"dense": True})
    assert actors(story.chain()) == ["platform"]


def test_repeated_entries_count_once() -> None:
    story = Story()
    story.applies(2)
    story.comes_up("uid-p1")
    doubled = [each for entry in story.entries for each in (entry, entry)]
    last = story.entries[-1].seq
    assert trace(doubled, last) == trace(story.entries, last)


def test_latest_prefers_the_wish_to_the_replacement() -> None:
    story = Story()
    assert Causes(story.entries).latest() is None
    story.applies()
    story.comes_up("uid-p1")
    ready = len(story.entries)
    assert Causes(story.entries).latest() == ready
    story.put(kept(endpoints({"uid-p1": "ready"})))
    assert Causes(story.entries).latest() == ready + 1
    story.action("delete", "pods", "storefront-7c9d8-p1")
    story.state("uid-p1", phase="Running", ready=True, deleting=T0 + 9)
    story.comes_up("uid-p2")
    assert Causes(story.entries).latest() == ready + 1


def test_what_the_clock_breaks_is_told_once_it_is_over() -> None:
    story = Story()
    story.applies()
    story.comes_up()
    target = {"kind": "Pod", "name": "storefront-7c9d8-p1", "uid": POD}
    fault = {"by": "timeline", "kind": "kill-pod", "target": target, "targets": [target]}
    started = story.fault("storm", "started", **fault, text="storefront loses a Pod")
    story.state(phase="Running", deleting=T0 + 9)
    leaving = len(story.entries)
    for seq in (started.seq, leaving):
        told = " ".join(f"{hop.text} {hop.evidence} {hop.missing}" for hop in story.chain(seq))
        assert "storm" not in told
        assert "loses" not in told
        assert "killed" not in told
    story.remove(POD)
    story.fault("storm", "ended", **fault)
    assert story.chain(leaving)[0].text == "We killed Pod p1."
    assert story.chain(started.seq)[0].text == "We killed Pod storefront-7c9d8-p1."


def test_a_roll_out_leads_back_to_the_change_and_so_does_the_old_pods_end() -> None:
    story = Story()
    story.applies()
    story.comes_up("uid-p1")
    story.action("patch", "deployments", "storefront", through="editor")
    changed = deployment(1)
    changed["spec"]["template"]["metadata"]["labels"]["shop"] = "alba"
    story.put(written(changed, "glasshull-editor"))
    newer = replica_set()
    newer["metadata"] |= {"name": "storefront-84b5f", "uid": "uid-newer"}
    story.put(newer)
    made = pod("storefront-84b5f-p2", "uid-p2")
    made["metadata"]["ownerReferences"][0] |= {"name": "storefront-84b5f", "uid": "uid-newer"}
    story.put(written(made, "kube-controller-manager"))
    came = story.chain()
    assert [hop.text for hop in came] == [
        "You asked to change Deployment storefront in the editor.",
        "The API server took the request.",
        "The new wish for Deployment storefront is written down in etcd.",
        "The Deployment controller made ReplicaSet storefront-84b5f, for 1 Pod.",
        "The ReplicaSet controller made Pod p2.",
    ]
    story.put(replica_set(0))
    story.state("uid-p1", phase="Running", ready=True, deleting=T0 + 9)
    went = story.chain()
    assert [hop.text for hop in went][3:] == [
        "The Deployment controller changed ReplicaSet storefront-7c9d8, for 0 Pods.",
        "The ReplicaSet controller let p1 go: one Pod too many.",
        "Pod p1 is marked for deletion in etcd.",
    ]
    assert went[0].text == came[0].text
