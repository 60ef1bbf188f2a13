"""The steps of a way, done against an observer that only listens: what is called, and what is noted when it fails."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from authoring import acts
from authoring.acts import do
from lessons.models import Act, Way
from sandbox.exec_stream import ExecResult
from sandbox.observing.refusal import ActRefused
from sandbox.record.exercise import Exercise, Fault, Load

FAULT = Fault(id="slow", kind="slow-app", target="pod:app=x", lasting=20.0, settle=0.0)
LOAD = Load(id="rush", target="storefront:80/", rate=4.0, lasting=1.0)
EXERCISE = Exercise(
    id="main",
    title="t",
    task="t",
    time=60.0,
    checks=(),
    faults=(FAULT,),
    loads=(LOAD,),
    files={"shop.yaml": "replicas: ${params.replicas}"},
)
WAY = Way("solution", "solution", (Act("wait", "true"),), {})


class Listening:
    """Notes what is asked of it, and refuses what is called `late`."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def predict(self, *asked: Any) -> None:
        self.asked.append(("predict", *asked))

    def answer(self, _sandbox: str, question: str, value: Any) -> None:
        if question == "late":
            raise ActRefused("too-late", "It is locked already.")
        self.asked.append(("answer", question, value))

    async def start_fault(self, _sandbox: str, fault: str) -> None:
        self.asked.append(("fault", fault))

    async def start_load(self, _sandbox: str, load: str) -> float:
        self.asked.append(("load", load))
        return 0.0


@pytest.fixture
def stage() -> Any:
    return SimpleNamespace(observer=Listening(), keeper=None)


@pytest.fixture
def track() -> Any:
    return SimpleNamespace(
        sandbox="s",
        plan=SimpleNamespace(toolbox="toolbox-s"),
        loads={"rush": "ended"},
        fault_running=lambda _fault: False,
    )


async def done(stage: Any, track: Any, act: Act) -> list[str]:
    trouble: list[str] = []
    await do(stage, track, EXERCISE, WAY, act, {"replicas": 3}, trouble)
    return trouble


async def test_predictions_and_answers_are_said_one_by_one(stage: Any, track: Any) -> None:
    assert await done(stage, track, Act("predict", {"a": "x", "b": ["y"]})) == []
    assert await done(stage, track, Act("answer", {"why": "z"})) == []
    assert stage.observer.asked == [
        ("predict", "s", "a", "x"),
        ("predict", "s", "b", ["y"]),
        ("answer", "why", "z"),
    ]


async def test_what_is_refused_is_noted_and_the_run_goes_on(stage: Any, track: Any) -> None:
    assert await done(stage, track, Act("answer", {"late": 1})) == [
        "answer {'late': 1}: It is locked already."
    ]


async def test_a_load_and_a_fault_are_waited_for(
    stage: Any, track: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault that lasts is given its time: 20 s beyond what one that happens at once may take."""
    patience: list[float] = []

    async def until(condition: Any, seconds: float, every: float = 0.1) -> bool:
        patience.append(seconds)
        return bool(condition())

    async def no_sleep(_seconds: float) -> None:
        return None

    monkeypatch.setattr(acts, "until", until)
    monkeypatch.setattr(acts.asyncio, "sleep", no_sleep)
    assert await done(stage, track, Act("load", "rush")) == []
    assert await done(stage, track, Act("fault", "slow")) == []
    assert stage.observer.asked == [("load", "rush"), ("fault", "slow")]
    assert patience == [1.0 + acts.LOAD_ENDS, acts.FAULT_ENDS + 20.0]


@pytest.mark.parametrize(
    ("code", "noted"), [(0, []), (1, ["run ['kubectl', 'get', 'pods']: ended with 1: no such Pod"])]
)
async def test_a_command_runs_in_the_toolbox_beside_the_students_files(
    stage: Any, track: Any, monkeypatch: pytest.MonkeyPatch, code: int, noted: list[str]
) -> None:
    seen: list[Any] = []

    async def write_file(_client: Any, _namespace: str, pod: str, name: str, content: bytes) -> None:
        seen.append((pod, name, content))

    async def run(
        _client: Any, namespace: str, pod: str, container: str, argv: Any, *, timeout: float
    ) -> Any:
        seen.append((namespace, pod, container, argv, timeout))
        return ExecResult(code, b"", b"no such Pod\n")

    monkeypatch.setattr(acts, "write_file", write_file)
    monkeypatch.setattr(acts, "run", run)
    assert await done(stage, track, Act("run", ["kubectl", "get", "pods"])) == noted
    assert seen[0] == ("toolbox-s", "shop.yaml", b"replicas: 3")
    assert seen[1][1:4] == ("toolbox-s", "toolbox", ["kubectl", "get", "pods"])
