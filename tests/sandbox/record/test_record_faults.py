"""A fault's window: opened by the platform's entry or by the student's own kubectl."""

from __future__ import annotations

from typing import Any

from tests.sandbox.record.build import pod
from tests.sandbox.record.judging import COUNT, Fault, Judged, Mark, check

KILL = Fault(id="kill", kind="kill-pod", target="pod:app=storefront", by="student", settle=5.0)


def watching(**fields: Any) -> Judged:
    """Two Pods and a window of three operators over `kill`."""
    run = Judged(check("always", during="kill"), faults=(KILL,), **fields)
    run.flag(True)
    run.put(pod("a", uid="a", owner=None, phase="Running", ready=True))
    run.put(pod("b", uid="b", owner=None, phase="Running", ready=True))
    run.start()
    return run


def going(run: Judged, name: str, **fields: Any) -> None:
    run.put(pod(name, uid=name, owner=None, phase="Running", deleting=run.at, **fields))


def told(run: Judged) -> list[tuple[str, str | None]]:
    return [
        (each.change["phase"], (each.change.get("target") or {}).get("uid"))
        for each in run.found
        if each.kind == "fault" and each.change["phase"] != "armed"
    ]


def test_kubectl_and_its_audit_entry_in_either_order() -> None:
    for audit_first in (True, False):
        run = watching()
        if audit_first:
            run.action("delete", "pods", "a")
        going(run, "a")
        if not audit_first:
            assert run.state == "waiting"
            run.wait(1.5)
            run.action("delete", "pods", "a")
        assert run.state == "holding"
        assert told(run) == [("started", "a")]
        run.remove("a")
        assert told(run) == [("started", "a"), ("ended", "a")]
        run.wait(5.1)
        assert run.state == "pass"


def test_the_window_begins_at_the_deletion_not_at_its_confirmation() -> None:
    run = watching()
    going(run, "a")
    run.flag(False)
    run.flag(True)
    assert run.state == "waiting"
    run.action("delete", "pods", "a")
    assert run.state == "fail"


def test_nobody_confirmed_it() -> None:
    run = watching()
    going(run, "a")
    run.wait(2.1)
    run.action("delete", "pods", "a")
    assert (run.state, told(run)) == ("waiting", [])


def test_another_pods_request_confirms_nothing() -> None:
    run = watching()
    going(run, "a")
    run.action("delete", "pods", "b")
    assert run.state == "waiting"
    going(run, "b")
    assert told(run) == [("started", "b")]


def test_a_refused_request_confirms_nothing() -> None:
    run = watching()
    run.action("delete", "pods", "a", code=403)
    going(run, "a")
    assert run.state == "waiting"


def test_delete_all_opens_one_window() -> None:
    run = watching()
    run.action("deletecollection", "pods", "")
    going(run, "a")
    going(run, "b")
    assert told(run) == [("started", "a")]


def test_a_forced_deletion_is_gone_at_once() -> None:
    run = watching()
    run._known["a"] = pod("a", uid="a", owner=None, deleting=run.at)
    run.remove("a")
    assert run.state == "waiting"
    run.action("delete", "pods", "a")
    assert told(run) == [("started", "a"), ("ended", "a")]
    run.wait(5.1)
    assert run.state == "pass"


def test_the_platforms_own_call_opens_no_second_window() -> None:
    run = watching()
    run.fault("kill", "started", by="student", target={"kind": "Pod", "name": "a", "uid": "a"})
    going(run, "a")
    run.action("delete", "pods", "a", through="picture")
    assert told(run) == []
    run.remove("a")
    assert told(run) == [("ended", "a")]
    run.wait(6)
    assert run.state == "pass"


def test_a_record_read_again_opens_no_second_window() -> None:
    run = watching()
    run.action("delete", "pods", "a")
    going(run, "a")
    run.flag(False)
    assert run.state == "fail"
    run.fault("kill", "started", by="student", target={"kind": "Pod", "name": "a", "uid": "a"})
    assert run.state == "fail"


def test_a_target_that_vanished_before_the_call() -> None:
    run = watching()
    run.remove("a")
    run.fault("kill", "started", by="student", target={"kind": "Pod", "name": "a", "uid": "a"})
    assert told(run) == [("ended", "a")]
    run.wait(5.1)
    assert run.state == "pass"


def test_a_pod_that_is_no_target() -> None:
    run = watching()
    run.put(pod("other", uid="other", app="other", owner=None))
    run.action("delete", "pods", "other")
    run.put(pod("other", uid="other", app="other", owner=None, deleting=run.at))
    assert told(run) == []


def test_needs_make_it_only_an_action() -> None:
    fault = Fault(id="kill", kind="kill-pod", target="pod/a", by="student", needs=("two",))
    run = Judged(check("always", during="kill"), check("eventually", COUNT, id="two"), faults=(fault,))
    run.flag(True)
    run.put(pod("a", uid="a", owner=None))
    run.start()
    armed = [each.change for each in run.found if each.kind == "fault"]
    assert [each["needs"] for each in armed] == [["two"]]
    run.action("delete", "pods", "a")
    going(run, "a")
    run.remove("a")
    assert told(run) == []
    run.services(2)
    assert [each.change["needs"] for each in run.found if each.kind == "fault"] == [["two"], []]
    run.put(pod("a", uid="a2", owner=None))
    run.action("delete", "pods", "a")
    run.put(pod("a", uid="a2", owner=None, deleting=run.at))
    assert told(run) == [("started", "a2")]


def test_killing_again_opens_a_new_window_and_voids_the_open_one() -> None:
    run = watching()
    run.action("delete", "pods", "a")
    going(run, "a")
    run.flag(False)
    run.remove("a")
    assert run.state == "fail"
    run.flag(True)
    run.wait(1)
    run.action("delete", "pods", "b")
    going(run, "b")
    assert run.state == "holding"
    run.remove("b")
    run.wait(6)
    assert run.state == "pass"
    assert told(run) == [("started", "a"), ("ended", "a"), ("started", "b"), ("ended", "b")]


def test_a_roll_out_under_way_hides_no_kill() -> None:
    run = watching()
    run.put(pod("old", uid="old", owner=None, phase="Running"))
    going(run, "old")  # a controller's doing
    run.action("delete", "pods", "a")
    going(run, "a")
    assert told(run) == [("started", "a")]
    run.wait(3)
    assert run.state == "holding"


def test_a_mark_and_a_fault_may_overlap() -> None:
    mark = Mark(id="touched", each="ConfigMap", when="old != null", until=None)
    run = watching(marks=(mark,))
    run.flag(True)
    run.action("delete", "pods", "a")
    going(run, "a")
    assert run.state == "holding"
