"""Small exercises for tests: one flag that is true, false or absent, one fault, one probe."""

from __future__ import annotations

from typing import Any

from sandbox.record.checks import Engine, Verdict
from sandbox.record.exercise import Check, Exercise, Fault, Mark, Prediction, Probe
from tests.sandbox.record.build import Script, named

FLAG = 'one("ConfigMap", "flag").data.on == "yes"'  # undecided while the flag has no such field
COUNT = 'objects("Service").size() >= 2'


def exercise(*checks: Check, **fields: Any) -> Exercise:
    return Exercise(
        id="small",
        title="Small",
        task="t",
        time=600.0,
        checks=checks,
        probes=(Probe(id="front", kind="http", target="x:80/"),),
        faults=fields.pop(
            "faults",
            (
                Fault(id="slow", kind="slow-app", target="pod:app=x", by="student", settle=5.0),
                Fault(id="later", kind="slow-app", target="pod:app=x", by="submit", settle=5.0),
            ),
        ),
        **fields,
    )


def check(operator: str, predicate: str = FLAG, **fields: Any) -> Check:
    return Check(id=fields.pop("id", "c"), say="It holds", operator=operator, predicate=predicate, **fields)


class Judged(Script):
    """Feeds an engine as it writes. `tick` 0: times are exactly what the test says."""

    def __init__(self, *checks: Check, spec: Exercise | None = None, **fields: Any) -> None:
        super().__init__(at=1000.0, tick=0.0)
        self.engine = Engine(spec or exercise(*checks, **fields), params={})
        self.found: list[Any] = []

    def add(self, kind: str, uid: str, change: dict[str, Any], source: str = "test") -> Any:
        entry = super().add(kind, uid, change, source)
        self.found += self.engine.feed(entry)
        return entry

    def wait(self, seconds: float) -> None:
        super().wait(seconds)
        self.found += self.engine.advance(self.at)

    def flag(self, value: bool | None) -> None:
        data = {} if value is None else {"on": "yes" if value else "no"}
        self.put(named("ConfigMap", "flag", data=data))

    def services(self, number: int) -> None:
        known = sorted(uid for uid in self._known if uid.startswith("uid-Service"))
        for uid in known[number:]:
            self.remove(uid)
        for n in range(len(known), number):
            self.put(named("Service", f"s{n}"))

    def slow(self, phase: str = "started", **fields: Any) -> None:
        self.fault("slow", phase, **fields)

    def gap(self, start: float, end: float, how: str = "lost", **fields: Any) -> None:
        """`start` and `end` as seconds from now."""
        self.add("gap", "", {"from": self.at + start, "until": self.at + end, "how": how, **fields})

    def hand_in(self, after: float = 0.0) -> None:
        self.submit()
        self.wait(after)
        self.add("handover", "", {"attempt": 1})

    def verdict(self, id_: str = "c") -> Verdict:
        return next(each for each in self.engine.verdicts if each.check == id_)

    @property
    def state(self) -> str:
        return self.verdict().state

    @property
    def line(self) -> str:
        return self.verdict().line


__all__ = ["COUNT", "FLAG", "Check", "Exercise", "Fault", "Judged", "Mark", "Prediction", "check", "exercise"]
