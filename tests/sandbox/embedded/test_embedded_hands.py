"""What the supervisor's hands do, and all that they do not: attacked over their socket. Needs no cluster."""

from __future__ import annotations

import json
import os
import signal
import socket
import time

import pytest

from sandbox.embedded import hands as module
from sandbox.embedded import names_rules
from sandbox.embedded.api import ApiRefused
from sandbox.embedded.errors import CommandFailed
from sandbox.embedded.hands import HandsDesk
from sandbox.embedded.layout import Layout
from sandbox.embedded.names_rules import NameRules, rule_for
from sandbox.embedded.plan import ClusterPlan
from sandbox.faults.hands import HandsAway, HandsRefused, SupervisorHands
from sandbox.plan import SANDBOX_LABEL

UID = "0f8fad5b-d9cb-469f-a165-70867728950e"
ID = "containerd://" + "ab" * 32
BOX = "gh-shop-1"


class Api:
    """Two namespaces: a sandbox with one Pod, and one that is none."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False
        statuses = [{"containerID": ID, "state": {"running": {}}}]
        self.pod = {
            "metadata": {"uid": UID},
            "spec": {"nodeName": "worker-1"},
            "status": {"containerStatuses": statuses},
        }

    def request(self, method, path, body=None, *, timeout):
        assert (method, body) == ("GET", None)
        self.asked.append(path)
        if self.away:
            raise ConnectionRefusedError
        if path == f"/api/v1/namespaces/{BOX}":
            return {"metadata": {"name": BOX, "labels": {SANDBOX_LABEL: "abc"}}}
        if path == "/api/v1/namespaces/gh-none":
            return {"metadata": {"name": "gh-none"}}
        if path == f"/api/v1/namespaces/{BOX}/pods/shop":
            return self.pod
        raise ApiRefused(404, "not found")


@pytest.fixture
def layout(tmp_path):
    layout = Layout(tmp_path, ClusterPlan())
    layout.conf.mkdir(parents=True)
    return layout


@pytest.fixture
def reloads():
    return []


@pytest.fixture
def rules(layout, reloads):
    return NameRules(layout, lambda: reloads.append(time.monotonic()))


@pytest.fixture
def ran(monkeypatch):
    commands = []
    monkeypatch.setattr(module, "run", lambda argv, *, timeout: commands.append([*argv, timeout]))
    return commands


@pytest.fixture
def api():
    return Api()


@pytest.fixture
def desk(layout, api, rules, ran, tmp_path):
    desk = HandsDesk(layout, api, rules, tmp_path / "hands.sock", os.getuid(), os.getgid())
    desk.start()
    yield desk
    desk.stop()
    desk.join(2)
    assert not desk.is_alive()


def kill(**changes):
    return {
        "do": "kill-container",
        "namespace": BOX,
        "pod": "shop",
        "podUid": UID,
        "containerID": ID,
    } | changes


def ask(desk, question):
    return desk.answer(json.dumps(question).encode())


# --- what is done ------------------------------------------------------------------------------------
async def test_a_container_is_killed_by_its_own_name_on_its_own_node(desk, ran, tmp_path):
    await SupervisorHands(tmp_path / "hands.sock").kill_container(BOX, "shop", UID, ID)
    (argv,) = ran
    assert argv[-6:-1] == ["tasks", "kill", "--signal", "SIGKILL", "ab" * 32]
    assert argv[-1] < 5
    assert any("node-1" in word for word in argv)


async def test_names_are_denied_and_given_back(desk, rules, layout, reloads, tmp_path):
    hands = SupervisorHands(tmp_path / "hands.sock")
    await hands.break_dns(BOX, ["storefront"], 30)
    (rule,) = (layout.conf / "name-rules").glob("*.rule")
    assert f"storefront.{BOX}.svc.cluster.local:53" in rule.read_text()
    await hands.mend_dns(BOX)
    await hands.mend_dns(BOX)
    assert not rule.exists()
    assert len(reloads) == 2


def test_a_rule_ends_by_itself_and_none_outlives_the_supervisor(layout, rules, reloads):
    rules.begin()
    rules.put(BOX, (), 10.0)
    rules.sweep(9.9)
    assert len(list((layout.conf / "name-rules").iterdir())) == 1
    rules.sweep(10.0)
    assert list((layout.conf / "name-rules").iterdir()) == []
    rules.put(BOX, (), 99.0)
    NameRules(layout, lambda: reloads.append(0.0)).begin()
    assert list((layout.conf / "name-rules").iterdir()) == []
    assert len(reloads) == 4


def test_all_names_of_one_namespace_and_of_no_other(layout):
    rule = rule_for(layout, BOX, ())
    assert rule.startswith(f"{BOX}.svc.cluster.local:53 {{\n    bind 10.2.0.1\n")
    assert rule.count("template ANY ANY") == 1


def test_the_name_service_is_told_only_while_it_is_itself(monkeypatch):
    sent = []

    class Processes:
        def read_trace(self, name):
            return type("Trace", (), {"pid": 4242, "start_ticks": 7})

    monkeypatch.setattr(names_rules.os, "kill", lambda *about: sent.append(about))
    monkeypatch.setattr(names_rules, "read_start_ticks", lambda pid: 8)  # the pid is another's by now
    names_rules.reload_for(Processes())()
    assert sent == []
    monkeypatch.setattr(names_rules, "read_start_ticks", lambda pid: 7)
    names_rules.reload_for(Processes())()
    assert sent == [(4242, signal.SIGUSR1)]


# --- attacks -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "changes",
    [
        {"namespace": "kube-system"},
        {"namespace": "glasshull-system"},
        {"namespace": "gh-none"},
        {"namespace": "gh-nothing"},
        {"namespace": f"{BOX}/../kube-system"},
        {"namespace": f"{BOX}?x=y"},
        {"namespace": ""},
        {"namespace": None},
        {"namespace": ["gh-a"]},
        {"pod": "shop/../../x"},
        {"pod": "other"},
        {"podUid": UID.replace("0", "1")},
        {"podUid": ""},
        {"containerID": "containerd://" + "cd" * 32},
        {"containerID": "1"},
        {"containerID": 1},
        {"containerID": "--all"},
        {"containerID": ID + " && reboot"},
        {"containerID": ID + "\n"},
    ],
)
def test_nothing_but_a_running_container_of_a_sandbox(desk, ran, changes):
    answer = ask(desk, kill(**changes))
    assert answer["ok"] is False
    assert answer["error"]
    assert ran == []


def test_neither_an_ended_container_nor_one_on_a_strange_node(desk, api, ran):
    api.pod["spec"]["nodeName"] = "elsewhere"
    assert "no node" in ask(desk, kill())["error"]
    api.pod["status"]["containerStatuses"][0]["state"] = {"terminated": {}}
    assert "does not run" in ask(desk, kill())["error"]
    assert ran == []


@pytest.mark.parametrize(
    "do", ["stop-node", "cordon-node", "drain-node", "stop-component", "start-component"]
)
def test_what_is_to_come_is_refused_with_its_reason(desk, do):
    assert "shared by all students" in ask(desk, {"do": do, "node": "worker-1"})["error"]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'{"do": null}',
        b'{"do": ["kill-container"]}',
        b'{"do": "run", "argv": ["id"]}',
        b"\xff\xfe",
        b"[" * 4000,
        b" " * 5000,
    ],
)
def test_garbage_is_answered_with_a_refusal(desk, line):
    assert desk.answer(line)["ok"] is False


@pytest.mark.parametrize(
    "changes",
    [
        {"namespace": "kube-system"},
        {"names": "all"},
        {"names": ["a"] * 9},
        {"names": ["a.b"]},
        {"names": ["a {\n} . {\n"]},
        {"names": [1]},
        {"seconds": 0},
        {"seconds": 121},
        {"seconds": True},
        {"seconds": "30"},
        {"seconds": float("nan")},
    ],
)
def test_a_rule_of_another_form_is_refused(desk, reloads, changes):
    question = {"do": "break-dns", "namespace": BOX, "names": ["shop"], "seconds": 30} | changes
    assert ask(desk, question)["ok"] is False
    assert reloads == []


def raw(path, data, *, close=False):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(5)
        client.connect(str(path))
        try:
            client.sendall(data)
            if close:
                client.shutdown(socket.SHUT_WR)
            return client.recv(4096)
        except OSError:
            return b""


def test_huge_slow_and_silent_ones_are_dropped_and_others_are_still_heard(desk, tmp_path):
    path = tmp_path / "hands.sock"
    assert raw(path, b"x" * 1_000_000) == b""
    began = time.monotonic()
    assert raw(path, b'{"do":') == b""
    assert time.monotonic() - began < 4
    assert b"nothing called that" in raw(path, b'{"do": "x"}\n')
    assert b"one line of JSON" in raw(path, b"", close=True)


def test_a_crowd_leaves_room_again(desk, tmp_path):
    path = tmp_path / "hands.sock"
    crowd = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(30)]
    for one in crowd:
        one.settimeout(1)
        try:
            one.connect(str(path))
        except OSError:
            break
    time.sleep(2.5)
    assert b"nothing called that" in raw(path, b'{"do": "x"}\n')
    for one in crowd:
        one.close()


def test_a_stranger_is_not_heard(desk, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "_peer", lambda _connection: 12345)
    assert raw(tmp_path / "hands.sock", b'{"do": "x"}\n') == b""


def test_only_root_and_the_group_may_open_it(desk, tmp_path):
    assert (tmp_path / "hands.sock").stat().st_mode & 0o777 == 0o660


# --- bad luck ----------------------------------------------------------------------------------------
async def test_a_cluster_that_is_away_is_said_as_such(desk, api, monkeypatch, tmp_path):
    api.away = True
    hands = SupervisorHands(tmp_path / "hands.sock")
    with pytest.raises(HandsAway, match="does not answer"):
        await hands.kill_container(BOX, "shop", UID, ID)
    api.away = False

    def fail(argv, *, timeout):
        raise CommandFailed("ctr failed")

    monkeypatch.setattr(module, "run", fail)
    with pytest.raises(HandsAway):
        await hands.kill_container(BOX, "shop", UID, ID)
    with pytest.raises(HandsRefused, match="no sandbox"):
        await hands.kill_container("gh-none", "shop", UID, ID)


async def test_without_a_supervisor(tmp_path):
    with pytest.raises(HandsAway):
        await SupervisorHands(tmp_path / "hands.sock").mend_dns(BOX)
    with pytest.raises(HandsAway):
        await SupervisorHands(tmp_path / "none" / "hands.sock").mend_dns(BOX)


async def test_a_state_folder_with_a_long_name(layout, api, rules, ran, tmp_path):
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    desk = HandsDesk(layout, api, rules, deep / "hands.sock", os.getuid(), os.getgid())
    desk.start()
    try:
        await SupervisorHands(deep / "hands.sock").mend_dns(BOX)
    finally:
        desk.stop()
        desk.join(2)
