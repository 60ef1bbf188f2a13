"""The supervised processes, with fakes: what they are given, and how they come back."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from classroom.operating import children
from classroom.operating.children import Child, command_for, environment_for, surviving_children
from classroom.operating.home import Owner

ME = Owner("me", os.geteuid(), os.getegid())


class FakeProcess:
    """Ends when told to."""

    pid = 4_000_000  # beyond the kernel's largest

    def __init__(self, *, stubborn: bool = False) -> None:
        self.code: int | None = None
        self.stubborn = stubborn
        self.signals: list[int] = []

    def poll(self) -> int | None:
        return self.code

    def send_signal(self, number: int) -> None:
        self.signals.append(number)
        if not self.stubborn:
            self.code = -number

    def wait(self, timeout: float) -> int:
        if self.code is None:
            raise subprocess.TimeoutExpired("fake", timeout)
        return self.code


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(children, "time", made)
    return made


@pytest.fixture
def child(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Child:
    (tmp_path / "log").mkdir(parents=True)
    monkeypatch.setattr(children.subprocess, "Popen", lambda *_, **__: FakeProcess())
    made = Child("web", ["web"], tmp_path, ME)
    made.start()
    return made


def crash(child: Child) -> None:
    process: Any = child.process
    process.code = 1


def back_after(child: Child, clock: Clock) -> float:
    """Tenths of a second until it is started again."""
    restarts, began = child.restarts, clock.now
    crash(child)
    while child.restarts == restarts:
        child.ensure_running()
        clock.now += 0.1
        assert clock.now - began < 20
    return clock.now - began


def test_a_crash_is_answered_after_half_a_second_doubling_to_five(child: Child, clock: Clock) -> None:
    waits = [back_after(child, clock) for _ in range(6)]
    assert waits == pytest.approx([0.6, 1.1, 2.1, 4.1, 5.1, 5.1], abs=0.11)


def test_ten_calm_seconds_forgive(child: Child, clock: Clock) -> None:
    for _ in range(4):
        back_after(child, clock)
    clock.now += 10.5
    child.ensure_running()
    assert back_after(child, clock) == pytest.approx(0.6, abs=0.11)


def test_a_running_child_is_left_alone(child: Child, clock: Clock) -> None:
    before = child.process
    for _ in range(50):
        clock.now += 1
        child.ensure_running()
    assert (child.process, child.restarts) == (before, 0)


def test_stopping_asks_first(child: Child) -> None:
    process: Any = child.process
    child.stop()
    assert process.signals == [signal.SIGTERM]
    child.stop()
    assert process.signals == [signal.SIGTERM]


def test_one_that_will_not_stop_is_killed_with_its_group(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = FakeProcess(stubborn=True)
    child.process = process  # type: ignore[assignment]
    killed: list[tuple[int, int]] = []

    def killpg(pid: int, number: int) -> None:
        killed.append((pid, number))
        process.code = -number

    monkeypatch.setattr(os, "killpg", killpg)
    child.stop(patience=0)
    assert killed == [(FakeProcess.pid, signal.SIGKILL)]


def test_children_get_no_secret_of_the_operators_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("KUBECONFIG", "/home/somebody/.kube/config")
    monkeypatch.setenv("GLASSHULL_LOG_LEVEL", "DEBUG")
    given = environment_for(tmp_path)
    assert not {"AWS_SECRET_ACCESS_KEY", "KUBECONFIG"} & set(given)
    assert (given["GLASSHULL_LOG_LEVEL"], given["GLASSHULL_HOME"]) == ("DEBUG", str(tmp_path))


def test_root_confines_them_to_code_python_and_their_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lessons = tmp_path / "lessons"
    lessons.mkdir()
    monkeypatch.setenv("GLASSHULL_LESSONS", str(lessons))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    command = command_for(["web"], tmp_path / "home", ME)
    kept = {command[n + 1] for n, word in enumerate(command) if word == "--keep"}
    assert {str(children.ROOT), str(tmp_path / "home/web"), str(lessons)} <= kept
    assert str(tmp_path / "home") not in kept  # the cluster's keys lie there
    assert command[command.index("--user") + 1] == "me"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "--keep" not in command_for(["web"], tmp_path, ME)


def test_a_relative_lessons_folder_is_the_operators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GLASSHULL_LESSONS", "mine")
    assert environment_for(tmp_path)["GLASSHULL_LESSONS"] == str(tmp_path / "mine")


def test_survivors_are_found_by_their_mark_and_no_others(tmp_path: Path) -> None:
    sleeper = ["sleep", "30"]
    ours = subprocess.Popen(sleeper, env={**os.environ, children.MARKER: str(tmp_path)})
    others = subprocess.Popen(sleeper, env={**os.environ, children.MARKER: str(tmp_path / "other")})
    try:
        assert surviving_children(tmp_path) == [ours.pid]
    finally:
        for process in (ours, others):
            process.kill()
            process.wait()
