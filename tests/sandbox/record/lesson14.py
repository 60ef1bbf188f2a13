"""Lesson 14 by hand, and a small observer that plays runs of it without a cluster."""
# ruff: noqa: E501  (tables and CEL stay on one line)

from __future__ import annotations

import itertools
from typing import Any

from sandbox.record.attempt import AttemptCourse, EndProbes, Handover, StartFault, Submit
from sandbox.record.checks import Engine, Finding, SandboxFacts
from sandbox.record.entry import Entry
from sandbox.record.exercise import Check, Exercise, Fault, Hint, Prediction, Probe
from tests.sandbox.record.build import T0, Script, deployment, endpoints, node, pod, service

_READY = 'readyPods("app=storefront").size() == params.replicas'


def exercise() -> Exercise:
    """`14-self-healing/exercise.yaml` of the lesson format, section 7."""
    return Exercise(
        id="survive",
        title="Survive the loss of a Pod",
        task="Keep the shop reachable.",
        time=1800.0,
        ready="probe.front.ok",
        variants={"replicas": {"int": [3, 4]}},
        pods=5,
        probes=(Probe(id="front", kind="http", target="storefront:80/whoami", every=0.25),),
        faults=(
            Fault(id="kill", kind="kill-pod", target="pod:app=storefront", grace=3.0, by="student", needs=("enough",), settle=30.0),
            Fault(id="again", kind="kill-pod", target="pod:app=storefront", grace=3.0, by="submit", settle=25.0),
        ),
        predictions=(
            Prediction(
                id="who-returns",
                ask="One Pod will be deleted. What does the list of Pods show afterwards?",
                answer="choice",
                choices={"same": "The same Pod again", "new": "A new Pod in its place", "none": "One fewer"},
                before="kill",
                settle=20.0,
                observed=f'{_READY} ? ["new"] : ["none"]',
            ),
        ),
        checks=(
            Check(id="managed", say="A controller owns every Pod", operator="eventually",
                  predicate='pods("app=storefront").size() > 0 && pods("app=storefront").all(p, owner(p).?kind.orValue("") != "")',
                  within=((1800.0, 1),)),
            Check(id="enough", say="The wanted number is ready", operator="eventually", predicate=_READY, within=((1800.0, 1),), needs=("managed",)),
            Check(id="never-empty", say="At least two addresses all the time", operator="always",
                  predicate='endpoints("storefront").size() >= 2', during="kill", points=3, needs=("enough",)),
            Check(id="back", say="Full strength again", operator="recovered", predicate=_READY, after="kill.start",
                  within=((30.0, 2), (60.0, 1)), must_break=True, needs=("enough",)),
            Check(id="served", say="Customers hardly noticed", operator="count", predicate="!object.ok", each="probe/front", during="kill", maximum=4, points=2, needs=("enough",)),
            Check(id="tested", say="It survives our test too", operator="always", predicate='endpoints("storefront").size() >= 2', during="again", points=2, needs=("enough",)),
            Check(id="hands-off", say="The cluster did it", operator="never", predicate='object.verb in ["create", "update", "patch", "scale"]', each="action", during="kill", needs=("enough",)),
            Check(id="foresaw", say="You foresaw it", operator="predicted", predicate="who-returns", points=2),
        ),
        hints=(
            Hint(id="no-controller",
                 when='pods("app=storefront").exists(p, !has(p.metadata.ownerReferences)) && !objects("Deployment").exists(d, label(d, "app") == "storefront")',
                 say='There are ${pods("app=storefront").size()} Pods without an owner. Who would notice if one went away?'),
            Hint(id="nobody-behind",
                 when='objects("Deployment").exists(d, d.status.?readyReplicas.orValue(0) > 0) && endpoints("storefront").size() == 0',
                 say="Pods are ready, yet Service `storefront` has no address."),
            Hint(id="left-over",
                 when='pods("app=storefront").exists(p, owner(p).?kind.orValue("") == "") && objects("Deployment").size() > 0',
                 say="One Pod still has no owner."),
            Hint(id="too-few", when='objects("Deployment").exists(d, d.spec.replicas < params.replicas)',
                 say="You asked for ${params.replicas} copies; the Deployment asks for fewer."),
            Hint(id="no-such-image",
                 when='pods("app=storefront").exists(p, p.status.?containerStatuses.orValue([]).exists(c, c.state.?waiting.?reason.orValue("") in ["ErrImagePull", "ImagePullBackOff"]))',
                 say="A node looked for the image and found none by that name."),
            Hint(id="never-ready",
                 when='pods("app=storefront").exists(p, p.status.phase == "Running" && !ready(p) && age(p) > duration("30s"))',
                 say="A Pod has been running for half a minute and is not ready."),
            Hint(id="too-early",
                 when='objects("Deployment").exists(d, d.spec.template.spec.containers.exists(c, !has(c.readinessProbe)))',
                 say="The app needs a few seconds after start.", ladder=("Look at the container.",)),
        ),
    )  # fmt: skip


class Run(Script):
    """An observer without a cluster: what it writes it feeds, and it does what the course asks for."""

    def __init__(self, replicas: int = 3, spec: Exercise | None = None) -> None:
        super().__init__()
        self.exercise = spec or exercise()
        self.params = {"replicas": replicas}
        self.engine = Engine(self.exercise, params=self.params, sandbox=SandboxFacts(namespace="gh-test"))
        self.course = AttemptCourse(self.exercise)
        self.alive: dict[str, dict[str, Any]] = {}  # uid -> how the Pod is now
        self.handed_over = False
        self.probe_ended = False
        self.startup = 10.0  # seconds until a new Pod is ready
        self.with_probe = True
        self.healing = True  # a controller replaces what is lost
        self.app = "storefront"
        self._names = itertools.count(1)
        self._due: list[tuple[float, int, Any]] = []
        self._outcome = True

    # the observer's part

    def add(self, kind: str, uid: str, change: dict[str, Any], source: str = "test") -> Entry:
        entry = super().add(kind, uid, change, source)
        commands = self.course.feed(entry)
        self._take(self.engine.feed(entry))
        self._do(commands)
        return entry

    def _take(self, findings: list[Finding]) -> None:
        for finding in findings:
            if finding.kind == "ready":
                self.start(replicas=self.params["replicas"])
                continue
            entry = super().add(finding.kind, finding.uid, finding.change, "checks")
            self._do(self.course.feed(entry))

    def _do(self, commands: list[Any]) -> None:
        for command in commands:
            match command:
                case Submit(by=by):
                    self.submit(by)
                case StartFault(id=id_):
                    self.kill(fault=id_, by="submit")
                case Handover():
                    self.handed_over = True
                    self.add("handover", "1", {"attempt": 1})
                case EndProbes():
                    self.probe_ended = True

    def wait(self, seconds: float) -> None:
        """Let time pass: what is due happens, the clock ticks twice a second."""
        until = self.at + seconds
        while self.at < until:
            due = min([until, self.at + 0.5, *(at for at, _, _ in self._due)])
            self.at = max(self.at, due)
            for item in sorted(each for each in self._due if each[0] <= self.at):
                self._due.remove(item)
                item[2]()
            self._take(self.engine.advance(self.at))
            self._do(self.course.advance(self.at))

    def later(self, seconds: float, act: Any) -> None:
        self._due.append((self.at + seconds, next(self._names), act))

    # the cluster's part

    def open(self) -> None:
        """The start state: one bare Pod behind the Service, and customers."""
        for name in ("worker-1", "worker-2", "worker-3"):
            self.put(node(name))
        self.put(service())
        self.new_pod("storefront", owner=None, probe=False)
        self.wait(2)
        self.answer(True)

    def new_pod(
        self, name: str = "", *, owner: str | None = "ReplicaSet", probe: bool = True, **fields: Any
    ) -> str:
        name = name or f"storefront-7c9d8-{next(self._names):05d}"
        uid = f"uid-{name}-{next(self._names)}"
        self.alive[uid] = {
            "name": name,
            "uid": uid,
            "owner": owner,
            "app": self.app,
            "created": self.at,
            **fields,
        }
        self._put_pod(uid)
        self._put_pod(uid, node="worker-1")
        if "waiting" not in fields:
            self._put_pod(uid, phase="Running")
            self.later(self.startup if probe else 0.5, lambda: self._put_pod(uid, ready=True))
        return uid

    def _put_pod(self, uid: str, **fields: Any) -> None:
        if uid not in self.alive:
            return
        self.alive[uid] |= fields
        self.put(pod(**self.alive[uid]))
        self._put_endpoints()

    def _put_endpoints(self) -> None:
        states = {
            uid: "terminating" if each.get("deleting") else "ready" if each.get("ready") else "not-ready"
            for uid, each in self.alive.items()
            if each["app"] == "storefront"
        }
        slice_ = endpoints(states)
        known = self._known.get(slice_["metadata"]["uid"])
        if known is None or known["endpoints"] != slice_["endpoints"]:
            self.put(slice_)

    def go(self, uid: str, after: float = 3.0) -> None:
        """A Pod is asked to go, its controller makes another at once, it is gone some seconds later."""
        self._put_pod(uid, deleting=self.at)
        if self.alive[uid]["owner"] and self.healing:
            self.new_pod(probe=self.with_probe)
        self.later(after, lambda: self._gone(uid))

    def _gone(self, uid: str) -> None:
        if self.alive.pop(uid, None) is not None:
            self.remove(uid)
            self._put_endpoints()

    def deploy(
        self,
        replicas: int,
        *,
        app: str = "storefront",
        probe: bool = True,
        image: str = "",
        startup: float = 10.0,
    ) -> None:
        self.startup, self.with_probe, self.app = startup, probe, app
        self.action("create", "deployments", "storefront")
        self.put(deployment(replicas, app=app, probe=probe))
        waiting = {"waiting": "ErrImagePull"} if image else {}
        for _ in range(replicas):
            self.new_pod(probe=probe, **waiting)

    def settle_deployment(self, replicas: int, *, app: str = "storefront", probe: bool = True) -> None:
        self.put(deployment(replicas, ready=replicas, app=app, probe=probe))

    # the student's part

    def delete(self, name: str, after: float = 1.0) -> None:
        """kubectl delete pod NAME"""
        uid = next(uid for uid, each in self.alive.items() if each["name"] == name)
        self.go(uid, after)
        self.action("delete", "pods", name)

    def kill(self, *, fault: str = "kill", by: str = "student", uid: str = "") -> str:
        """Through the page: the observer says it first, then does it."""
        ready = [each for each, how in self.alive.items() if how.get("ready") and not how.get("deleting")]
        if not ready:
            self.fault(fault, "failed", by=by, text="no such Pod", ours=False)
            return ""
        uid = uid or ready[0]
        name = self.alive[uid]["name"]
        self.fault(fault, "started", by=by, target={"kind": "Pod", "name": name, "uid": uid})
        self.go(uid)
        if by == "student":
            self.action("delete", "pods", name, through="picture")
        return uid

    def answer(self, ok: bool) -> None:
        """Customers' answers change."""
        self._outcome = ok
        self.probe(ok=ok)
        self.summary(sent=4, failed=0 if ok else 1)

    # what came of it

    @property
    def states(self) -> dict[str, str]:
        return {each.check: each.state for each in self.engine.verdicts}

    @property
    def points(self) -> dict[str, int]:
        return {each.check: each.points for each in self.engine.verdicts}

    def kinds(self, kind: str) -> list[Entry]:
        return [each for each in self.entries if each.kind == kind]


def opened(replicas: int = 3) -> Run:
    """A run at the moment its clock starts."""
    run = Run(replicas)
    run.open()
    return run


def solved(replicas: int = 3, *, through: str = "picture") -> Run:
    """The reference solution up to its kill's end."""
    run = opened(replicas)
    run.delete("storefront")
    run.wait(5)
    run.deploy(replicas)
    run.wait(12)
    run.settle_deployment(replicas)
    run.wait(1)
    run.predict("who-returns", "new")
    if through == "picture":
        run.kill()
    else:
        run.delete(next(each["name"] for each in run.alive.values()), after=3.0)
    return run


__all__ = ["T0", "Run", "exercise", "opened", "solved"]
