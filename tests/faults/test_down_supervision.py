"""A killed component of an own cluster (instance 2) comes back by itself, and down ends the keeping."""

import os
import signal
import threading
import time

import pytest

from bench.product import built_home
from sandbox.embedded import control_plane, node
from sandbox.embedded.api import AdminApi
from sandbox.embedded.building import ensure_binary
from sandbox.embedded.followers import followers_of
from sandbox.embedded.plan import ClusterPlan
from sandbox.embedded.processes import Processes, kill
from sandbox.embedded.progress import ignore
from sandbox.embedded.status import is_ready
from sandbox.embedded.supervising import EmbeddedCluster

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for the embedded cluster"),
]

PARTS = (*control_plane.CONTROL_PLANE, "containerd-1", "kubelet-1", "kube-proxy-1")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A cluster of one node that a thread keeps up."""
    cluster = EmbeddedCluster(
        ClusterPlan(2, nodes=1),
        tmp_path_factory.mktemp("gh"),
        binary=ensure_binary(built_home(), ignore),
        images=sorted((built_home() / "images").glob("pause*.tar")),
        group=None,
        progress=ignore,
    )
    cluster.ensure_up()
    stop = threading.Event()
    keeper = threading.Thread(target=cluster.keep, args=(stop,))
    keeper.start()
    yield cluster
    stop.set()
    keeper.join(5)
    assert not keeper.is_alive()
    assert cluster.down() == []


def part(cluster, name):
    return next(part for part in cluster.status().components if part.name == name)


def started(cluster, name):
    return Processes(cluster.layout).read_trace(name).started_at


def wait_for_fresh_followers(cluster):
    """Those that watched an API server which died are started anew: until then they come and go."""
    deadline = time.monotonic() + 30
    while any(
        started(cluster, name) < started(cluster, control_plane.API_SERVER)
        or not Processes(cluster.layout).is_alive(name)
        for name in followers_of(cluster.plan)
    ):
        assert time.monotonic() < deadline, "what follows the API server was not started anew"
        time.sleep(0.1)


@pytest.mark.parametrize("name", PARTS)
def test_a_killed_component_is_back_within_five_seconds(kept, name):
    wait_for_fresh_followers(kept)
    processes = Processes(kept.layout)
    before = processes.read_trace(name)
    began = time.monotonic()
    os.kill(before.pid, signal.SIGKILL)
    while processes.read_trace(name) == before or not processes.is_alive(name):
        assert time.monotonic() - began < 5.0, f"{name} did not come back"
        time.sleep(0.02)
    assert processes.read_trace(name).starts == before.starts + 1
    assert part(kept, name).restarts == before.starts
    assert f"{name} had stopped" in kept.layout.supervisor_log.read_text()


def test_afterwards_the_cluster_is_whole(kept):
    deadline = time.monotonic() + 40
    while not (all(node.ready for node in kept.status().nodes) and kept.status().running):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert [node.name for node in kept.status().nodes] == ["worker-1"]


def test_after_two_outages_a_new_pod_is_ready_in_seconds(kept):
    """Left alone, controllers, kubelet and kube-proxy took 70 s to notice that the API server was back."""
    for _ in range(2):
        died = time.monotonic() + 6
        while time.monotonic() < died:  # as often as it comes back
            if pid := part(kept, control_plane.API_SERVER).pid:
                kill(pid)
            time.sleep(0.1)
        api = AdminApi(kept.plan, kept.layout.pki)
        wait_until(api.is_ready, 30)
        began = time.monotonic()
        name = f"pause-{began:.0f}"
        api.apply(f"/apis/apps/v1/namespaces/default/deployments/{name}", deployment(name))
        ready = f"/api/v1/namespaces/default/pods?labelSelector=app%3D{name}"
        wait_until(lambda api=api, ready=ready: any(map(is_ready, api.request("GET", ready)["items"])), 30)
        print(f"ready {time.monotonic() - began:.1f} s after the API server came back")


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def deployment(name):
    container = {"name": "app", "image": node.PAUSE_IMAGE}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
    }


def test_a_component_that_cannot_live_does_not_burn_the_processor(kept):
    victim = "kube-scheduler"
    wait_for_fresh_followers(kept)
    count = part(kept, victim).restarts
    until = time.monotonic() + 10
    while time.monotonic() < until:
        found = part(kept, victim)
        if found.pid:
            kill(found.pid)
        time.sleep(0.1)
    assert part(kept, victim).restarts - count <= 6
