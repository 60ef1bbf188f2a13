"""What is in the way is named; what is ours is not in the way."""

import socket
import threading
from itertools import pairwise

import pytest

from sandbox.embedded import checking, registry
from sandbox.embedded.backoff import Backoff
from sandbox.embedded.cgroups import hierarchies
from sandbox.embedded.checking import find_overlap, find_taken_port, parse_listeners
from sandbox.embedded.errors import HostUnfit
from sandbox.embedded.mounts import read_mounts
from sandbox.embedded.plan import ClusterPlan

SS = """\
udp   UNCONN 0      0      127.0.0.53%lo:53    0.0.0.0:*    users:(("resolved",pid=300,fd=12))
tcp   LISTEN 0      4096   10.2.0.1:16443 0.0.0.0:* users:(("kubelite",pid=812,fd=7),("kine",pid=813,fd=7))
tcp   LISTEN 0      4096   [::]:22             [::]:*       users:(("sshd",pid=20,fd=3))
tcp   LISTEN 0      4096   *:16451             *:*
"""


def test_listeners_are_read():
    first, second, third, fourth = parse_listeners(SS)
    assert (first.protocol, first.address, first.port) == ("udp", "127.0.0.53", 53)
    assert second.pids == {812, 813}
    assert second.process == "kubelite (process 812)"
    assert (third.address, third.port) == ("::", 22)
    assert fourth.process == "an unknown process"


def test_a_taken_port_names_its_owner():
    text = find_taken_port(ClusterPlan(), parse_listeners(SS), frozenset())
    assert text == "Port 16443/tcp on 10.2.0.1 is taken by kubelite (process 812)."


def test_our_survivors_do_not_count():
    lines = SS.splitlines()[:3]
    assert find_taken_port(ClusterPlan(), parse_listeners("\n".join(lines)), frozenset({813})) is None


def test_a_listener_on_every_address_counts():
    text = find_taken_port(ClusterPlan(), parse_listeners(SS.splitlines()[3]), frozenset())
    assert text == "Port 16451/tcp on 127.0.0.1 is taken by an unknown process."


def test_a_resolver_on_its_own_loopback_address_is_not_in_the_way():
    assert find_taken_port(ClusterPlan(), parse_listeners(SS.splitlines()[0]), frozenset()) is None


@pytest.mark.parametrize(
    ("route", "ours"),
    [
        ({"dst": "10.1.0.0/16", "dev": "docker0"}, "10.1.0.0/16"),
        ({"dst": "10.0.0.0/8", "dev": "tun0"}, "10.2.0.0/24"),
        ({"dst": "10.152.183.7", "dev": "eth0"}, "10.152.183.0/24"),
        ({"type": "local", "dst": "10.2.0.1", "dev": "eth1"}, "10.2.0.0/24"),
    ],
)
def test_a_range_in_use_is_named(route, ours):
    text = find_overlap(ClusterPlan(), [route])
    assert text is not None
    assert ours in text
    assert route["dev"] in text


@pytest.mark.parametrize(
    "route",
    [
        {"dst": "default", "gateway": "192.0.2.1", "dev": "eth0"},
        {"dst": "192.0.2.0/24", "dev": "eth0"},
        {"type": "local", "dst": "10.2.0.1", "dev": "lo"},
        {"dst": "10.2.0.11", "dev": "gh1n1"},
        {"dst": "10.1.1.0/24", "dev": "gh1n1"},
        {"dst": "10.2.1.11", "dev": "gh2n1"},
    ],
)
def test_ours_and_everyday_routes_are_not_in_the_way(route):
    assert find_overlap(ClusterPlan(), [route]) is None


def test_without_root_nothing_is_started_and_the_next_step_named(monkeypatch):
    monkeypatch.setattr(checking.os, "geteuid", lambda: 1000)
    with pytest.raises(HostUnfit, match="root") as caught:
        checking._check_platform()
    assert "sudo" in caught.value.remedy


def test_another_system_is_refused(monkeypatch):
    monkeypatch.setattr(checking.sys, "platform", "darwin")
    with pytest.raises(HostUnfit, match="Linux"):
        checking._check_platform()


def test_missing_packages_are_named_with_the_command(monkeypatch):
    monkeypatch.setattr(
        checking.shutil, "which", lambda tool: None if tool in ("ctr", "nft") else f"/bin/{tool}"
    )
    with pytest.raises(HostUnfit, match="containerd, nftables") as caught:
        checking._check_tools()
    assert "apt-get install containerd nftables" in caught.value.remedy


def test_a_full_disk_is_named(monkeypatch, tmp_path):
    class Usage:
        free = 1_500_000_000

    monkeypatch.setattr(checking.shutil, "disk_usage", lambda _path: Usage)
    with pytest.raises(HostUnfit, match=r"1\.5 GB are left"):
        checking._check_disk(tmp_path / "not" / "yet")


MOUNTINFO = r"""
31 23 0:27 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu
32 23 0:28 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw
40 23 0:4 net:[4026532] /run/netns/gh-1-node-1 rw shared:1 - nsfs nsfs rw
41 23 8:1 /x /tmp/with\040blank rw - ext4 /dev/vda rw
""".strip()


def test_mounts_are_read():
    mounts = read_mounts(MOUNTINFO)
    assert [str(mount.path) for mount in mounts][2:] == ["/run/netns/gh-1-node-1", "/tmp/with blank"]
    first, second = hierarchies(mounts)
    assert [str(path) for path in first] == ["/sys/fs/cgroup/cpu"]
    assert [str(path) for path in second] == ["/sys/fs/cgroup/unified"]


def test_a_component_that_dies_at_once_is_not_started_in_a_circle():
    backoff, starts, now = Backoff(), [], 0.0
    while now < 30:
        if backoff.is_due("x", now):
            starts.append(now)
            backoff.started("x", now)
        now += 0.25
    waits = [b - a for a, b in pairwise(starts)]
    assert starts[0] == 0.0
    assert waits[:3] == pytest.approx([0.75, 1.25, 2.25])
    assert max(waits) <= 5.0
    assert len(starts) < 12


def test_after_calm_a_component_comes_back_at_once():
    backoff = Backoff()
    for now in (0.0, 1.0, 2.5):
        assert backoff.is_due("x", now) or now > 0
        backoff.started("x", now)
    assert backoff.is_due("x", 100.0)


def ask(port, request):
    with socket.create_connection(("127.0.0.1", port), 2) as client:
        client.sendall(request)
        return client.makefile("rb").read()


def test_the_registry_has_nothing():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve_twice():
            for _ in range(2):
                client, _ = server.accept()
                with client:
                    registry.answer(client)

        thread = threading.Thread(target=serve_twice)
        thread.start()
        head = ask(port, b"HEAD /v2/app/x/manifests/1.0 HTTP/1.1\r\nHost: r\r\n\r\n")
        body = ask(port, b"GET /v2/app/x/manifests/1.0 HTTP/1.1\r\nHost: r\r\n\r\n")
        thread.join(2)
    assert head.startswith(b"HTTP/1.1 404 ")
    assert head.endswith(b"\r\n\r\n")
    assert b"MANIFEST_UNKNOWN" in body
