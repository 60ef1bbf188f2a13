"""A hundred thousand entries: nothing piles up that would make the next one dearer (bench.micro_record times it)."""

from __future__ import annotations

from sandbox.record import markers
from sandbox.record.checks import Engine
from sandbox.record.picture import Picture
from tests.sandbox.record.build import Script, endpoints, pod
from tests.sandbox.record.judging import FLAG, Judged, check
from tests.sandbox.record.lesson14 import exercise

MANY = 100_000


def test_a_hundred_thousand_entries() -> None:
    script = Script(tick=0.05)
    script.start(replicas=3)
    engine, picture = Engine(exercise(), params={"replicas": 3}), Picture()
    engine.feed(script.entries[0])
    picture.feed(script.entries[0])
    for tenth in range(10):
        for n in range(MANY // 10):
            seq = tenth * MANY // 10 + n
            if seq % 500 == 0:
                script.put(
                    pod("storefront-7c9d8-aaaaa", uid=f"u{seq % 1000}", ready=seq % 3 == 0, phase="Running")
                )
                script.put(endpoints({"u0": "ready"}))
            elif seq % 500 == 3:
                script.fault("kill", "started", target={"kind": "Pod", "uid": "u0", "name": "x"})
            elif seq % 10 == 0:
                script.probe(ok=seq % 3 == 0)
            else:
                script.summary(sent=4)
            entry = script.entries[-1]
            engine.feed(entry)
            picture.feed(entry)
    assert picture.items["probe/front"]["sent"] > MANY
    assert len([key for key in picture.items if key.startswith("marker/")]) <= markers.MOST
    assert sum(len(run.trials) for run in engine._runs.values()) < 20


def test_many_windows_leave_nothing_behind() -> None:
    run = Judged(check("always", FLAG, during="slow"))
    run.flag(True)
    run.start()
    for _ in range(200):
        run.slow()
        run.slow("ended")
        run.wait(6)
    assert run.state == "pass"
    assert len(run.engine._runs["c"].trials) <= 2
