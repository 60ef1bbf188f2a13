"""What may be broken from the picture, in the order in which it is shown: each with what happens and how it ends.

Pure. What cannot be had stays in the list and says why: a student should know that it exists.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sandbox.record.fault_kinds import KINDS, USUAL, USUAL_DELAY_MS

TIER = "namespace"  # the tier whose sandboxes share nodes and control plane


class Entry(NamedTuple):
    """One line of the menu. POD and NODE in its words stand for what was clicked."""

    kind: str
    how: str | None
    name: str
    mechanism: str
    ends: str


_SWITCHES_BACK = f"{USUAL:g} s, switches back"
_ENTRIES = (
    Entry(
        "kill-pod", None, "Kill the Pod", "kubectl delete pod POD", "its owner makes a new one, if it has one"
    ),
    Entry(
        "kill-container",
        "oom",
        "Kill the container: OOM",
        "grows past its limit; the kernel kills it",
        "restarts in its Pod",
    ),
    Entry(
        "kill-container",
        "sigkill",
        "Kill the container: SIGKILL",
        "sent to its process from the node",
        "restarts in its Pod",
    ),
    Entry("fail-readiness", None, "Fail readiness", "the app answers 503 on /readyz", _SWITCHES_BACK),
    Entry(
        "slow-app",
        "delay",
        "Slow it down",
        f"each answer waits {USUAL_DELAY_MS} ms",
        _SWITCHES_BACK,
    ),
    Entry("slow-app", "hang", "Make it hang", "no answer at all", _SWITCHES_BACK),
    Entry("slow-app", "spin", "Burn its CPU", "a busy loop in its container", _SWITCHES_BACK),
    Entry(
        "cut-traffic",
        None,
        "Cut traffic to this Pod",
        "a NetworkPolicy refuses it",
        f"{USUAL:g} s, policy removed",
    ),
    Entry(
        "break-dns", None, "Break DNS", "the names of your Services stop resolving", f"{USUAL:g} s, restored"
    ),
    Entry("cordon-node", None, "Cordon", "kubectl cordon NODE", "uncordoned"),
    Entry("drain-node", None, "Drain", "kubectl drain NODE", "uncordoned"),
    Entry("stop-node", None, "Stop the kubelet", "systemctl stop kubelet", "started again"),
    Entry(
        "kill-component",
        None,
        "Stop a component",
        "API server, scheduler, controllers, etcd",
        "started again",
    ),
    Entry("corrupt-config", None, "Corrupt a value", "kubectl patch", "old value restored"),
    Entry("move-tag", None, "Move an image tag", "the tag points at another digest", "moved back"),
)
_ONLY_BY_A_LESSON = "A lesson names the value to corrupt; this one names none."


def menu(tier: str = TIER, lesson_kinds: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """Entries for the page. `lesson_kinds`: kinds of which this lesson has a fault of the student's own."""
    return [
        {
            "kind": each.kind,
            "how": each.how,
            "name": each.name,
            "mechanism": each.mechanism,
            "ends": each.ends,
            "group": KINDS[each.kind].group,
            "ms": USUAL_DELAY_MS if each.how == "delay" else None,
            "refused": refusal(each.kind, tier, lesson_kinds),
        }
        for each in _ENTRIES
    ]


def refusal(kind: str, tier: str, lesson_kinds: frozenset[str] = frozenset()) -> str | None:
    """Why this kind cannot be had, in one sentence; None when it can."""
    known = KINDS.get(kind)
    if known is None:
        return f"There is no fault called {kind}."
    if tier == "recorded":
        return "This is a recording: there is nothing to break."
    if known.refused is not None:
        return known.refused
    if kind == "corrupt-config" and kind not in lesson_kinds:
        return _ONLY_BY_A_LESSON
    return None
