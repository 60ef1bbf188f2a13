"""Processes are found again by pid, start time and marker; needs neither root nor a cluster."""

import os
import signal
import time
from pathlib import Path

import pytest

from sandbox.embedded import processes as module
from sandbox.embedded.errors import ComponentFailed, StartCancelled
from sandbox.embedded.layout import Layout
from sandbox.embedded.plan import ClusterPlan
from sandbox.embedded.processes import Component, Processes, kill, marked_pids, read_start_ticks

SLEEPER = Component("sleeper", ("sleep", "60"))


@pytest.fixture
def layout(tmp_path):
    layout = Layout(tmp_path, ClusterPlan(3))
    layout.run.mkdir(parents=True)
    layout.logs.mkdir()
    yield layout
    for pid in marked_pids(layout.id):
        kill(pid)


@pytest.fixture
def processes(layout):
    yield (made := Processes(layout))
    for pid in marked_pids(layout.id):
        kill(pid)
    wait_until(lambda: not marked_pids(layout.id))
    made.reap_all()


def wait_until(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_living_component_is_started_once(processes, layout):
    assert processes.ensure(SLEEPER)
    assert not processes.ensure(SLEEPER)
    assert marked_pids(layout.id) == [processes.read_trace("sleeper").pid]


def test_another_supervisor_finds_what_this_one_started(processes, layout):
    processes.ensure(SLEEPER)
    assert Processes(layout).is_alive("sleeper")
    assert not Processes(layout).ensure(SLEEPER)


def test_a_killed_component_is_dead_at_once_though_still_a_zombie(processes):
    processes.ensure(SLEEPER)
    pid = processes.read_trace("sleeper").pid
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: read_start_ticks(pid) is None)
    assert Path(f"/proc/{pid}").exists(), "nobody has collected it yet"
    assert not processes.is_alive("sleeper")
    assert processes.ensure(SLEEPER)
    assert processes.read_trace("sleeper").starts == 2


def test_a_reused_pid_is_not_taken_for_ours(processes, layout):
    processes.ensure(SLEEPER)
    trace = processes.read_trace("sleeper")
    file = layout.run / "sleeper.json"
    file.write_text(file.read_text().replace(str(trace.start_ticks), str(trace.start_ticks + 1)))
    assert not processes.is_alive("sleeper")


def test_a_damaged_trace_means_unknown(processes, layout):
    (layout.run / "sleeper.json").write_text("{")
    assert processes.read_trace("sleeper") is None
    assert not processes.is_alive("sleeper")


def test_the_environment_of_whoever_starts_it_stays_outside(processes, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "/somebody/elses")
    processes.ensure(SLEEPER)
    folder = Path(f"/proc/{processes.read_trace('sleeper').pid}")
    assert b"KUBECONFIG" not in (folder / "environ").read_bytes()
    wait_until(lambda: (folder / "cwd").readlink() == Path("/"))


def test_a_component_that_stops_during_the_start_says_why(processes, layout):
    processes.ensure(Component("talker", ("sh", "-c", "echo first; echo 'port in use' >&2; exit 1")))
    wait_until(lambda: not processes.is_alive("talker"))
    with pytest.raises(ComponentFailed, match=r"talker stopped.*port in use") as caught:
        processes.must_live("talker")
    assert str(layout.log("talker")) in caught.value.remedy


def test_logs_of_the_last_starts_are_kept(processes, layout):
    for number in range(6):
        processes.start(Component("talker", ("sh", "-c", f"echo {number}")))
        wait_until(lambda number=number: layout.log("talker").read_text() == f"{number}\n")
    kept = {path.name: path.read_text().strip() for path in layout.logs.iterdir()}
    assert kept == {"talker.log": "5", "talker.log.1": "4", "talker.log.2": "3", "talker.log.3": "2"}


def test_a_log_that_grows_is_cut_while_it_is_written(processes, layout, monkeypatch):
    monkeypatch.setattr(module, "LOG_LIMIT_BYTES", 400)
    processes.start(Component("talker", ("sh", "-c", "while :; do echo 0123456789; sleep 0.01; done")))
    log = layout.log("talker")
    wait_until(lambda: log.exists() and log.stat().st_size > 400)
    processes.trim_logs()
    assert log.stat().st_size < 200
    assert len((layout.logs / "talker.log.1").read_bytes()) == 100
    wait_until(lambda: log.stat().st_size > 20)


def test_once_closed_nothing_is_started(processes, layout):
    processes.close()
    with pytest.raises(StartCancelled):
        processes.ensure(SLEEPER)
    assert marked_pids(layout.id) == []
    processes.open()
    assert processes.ensure(SLEEPER)


def test_of_another_cluster_is_nothing_of_ours(processes, tmp_path):
    processes.ensure(SLEEPER)
    assert marked_pids(Layout(tmp_path / "elsewhere", ClusterPlan(3)).id) == []
