"""An own cluster (instance 2, own home) is killed in every way; afterwards the machine is as before."""

import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.product import ROOT, built_home
from sandbox.embedded import control_plane, host
from sandbox.embedded.building import ensure_binary
from sandbox.embedded.commands import run
from sandbox.embedded.down import down_all
from sandbox.embedded.errors import ComponentFailed, HostUnfit, StartCancelled
from sandbox.embedded.layout import Layout
from sandbox.embedded.mounts import is_mounted
from sandbox.embedded.plan import ClusterPlan
from sandbox.embedded.processes import marked_pids
from sandbox.embedded.progress import ignore
from sandbox.embedded.supervising import EmbeddedCluster

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(1800),  # the first test may have to build the binary
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for the embedded cluster"),
]

PLAN = ClusterPlan(2, nodes=2)


@pytest.fixture
def binary():
    return ensure_binary(built_home(), ignore)


@pytest.fixture
def images():
    return sorted((built_home() / "images").glob("*.tar"))


@pytest.fixture
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gh")
    yield folder
    assert down_all(folder) == []
    shutil.rmtree(folder)


@pytest.fixture
def cluster(home, binary, images):
    return EmbeddedCluster(PLAN, home, binary=binary, images=images, group=None, progress=ignore)


def traces(home: Path) -> dict[str, object]:
    """Everything on this machine that belongs to instance 2 or to this home, and shared settings."""
    names = (PLAN.link_prefix, "gh-2-", PLAN.nft_table, str(home), str(PLAN.root), "10.102.")

    def ours(text: str) -> list[str]:
        return sorted(line for line in text.splitlines() if any(name in line for name in names))

    groups = [str(p) for p in Path("/sys/fs/cgroup").glob(f"**/{PLAN.link_prefix}*")]
    processes = [
        pid.name
        for pid in Path("/proc").glob("[0-9]*")
        if str(home) in _read(pid / "cmdline")
        or f"GLASSHULL_CLUSTER={Layout(home, PLAN).id}" in _read(pid / "environ")
    ]
    return {
        "processes": [pid for pid in processes if int(pid) != os.getpid()],
        "mounts": ours(Path("/proc/self/mountinfo").read_text()),
        "namespaces": ours(run(["ip", "netns", "list"])),
        "links": ours(run(["ip", "-o", "link"])),
        "addresses": ours(run(["ip", "-o", "address"])),
        "routes": ours(run(["ip", "route"])),
        "tables": ours(run(["nft", "list", "tables"])),
        "cgroups": groups,
        "sysctls": {name: Path("/proc/sys", name).read_text() for name in host.SYSCTLS},
        "folders": [folder for folder in host.HARD_CODED if Path(folder).exists()],
        "netns": (Path("/run/netns").exists(), is_mounted(Path("/run/netns"))),
        "claims": host.read_holder(2),
        "sockets": [str(path) for path in home.rglob("*") if path.is_socket()],
    }


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return ""


def kubectl(cluster: EmbeddedCluster, *words: str) -> str:
    return run([cluster.kubectl, f"--kubeconfig={cluster.layout.admin_kubeconfig}", *words], timeout=60)


def deploy(cluster: EmbeddedCluster) -> None:
    kubectl(cluster, "create", "deployment", "web", "--image=app/storefront:1.0", "--replicas=2")
    kubectl(cluster, "rollout", "status", "deployment/web", "--timeout=50s")


def container_pids(cluster: EmbeddedCluster) -> set[str]:
    """Main processes of storefront containers on the nodes."""
    return {
        line.split()[1]
        for worker in PLAN.workers
        for line in run(
            [
                "nsenter",
                f"--mount={cluster.layout.mount_namespace(worker)}",
                "--",
                "ctr",
                "-n",
                "k8s.io",
                "tasks",
                "ls",
            ]
        ).splitlines()[1:]
    }


class Supervisor:
    """`python -m sandbox.embedded up` as a process of its own, so that it can be killed."""

    def __init__(self, home: Path, binary: Path) -> None:
        argv = [sys.executable, "-m", "sandbox.embedded", "up", "--instance", "2", "--nodes", "2"]
        self.process = subprocess.Popen(
            [*argv, "--home", str(home), "--binary", str(binary)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def wait_for(self, text: str) -> None:
        said = []
        for line in self.process.stdout:
            said.append(line)
            if text in line:
                return
        pytest.fail("".join(said))

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        code = self.process.wait(30)
        self.process.stdout.close()
        return code


def test_ctrl_c_leaves_nothing(home, binary):
    before = traces(home)
    supervisor = Supervisor(home, binary)
    supervisor.wait_for("up after")
    assert supervisor.end(signal.SIGINT) == 0
    assert traces(home) == before


def test_down_after_the_supervisor_was_killed_leaves_nothing(home, binary, cluster):
    before = traces(home)
    shutil.copytree(built_home() / "images", home / "images", ignore=shutil.ignore_patterns("layers"))
    supervisor = Supervisor(home, binary)
    supervisor.wait_for("up after")
    deploy(cluster)
    supervisor.end(signal.SIGKILL)
    assert marked_pids(cluster.layout.id), "the cluster outlives its supervisor"
    pids = {part.name: part.pid for part in cluster.status().components}
    second = Supervisor(home, binary)
    second.wait_for("up after")
    assert {part.name: part.pid for part in cluster.status().components} == pids, "the next one adopts it"
    second.end(signal.SIGKILL)
    assert traces(home) != before
    assert down_all(home) == []
    assert traces(home) == before
    assert down_all(home) == [], "down twice is the same as once"


@pytest.mark.parametrize("after", [0.6, 2.0])
def test_down_after_a_kill_in_the_middle_of_the_start(home, binary, after):
    before = traces(home)
    supervisor = Supervisor(home, binary)
    supervisor.wait_for("Preparing")
    time.sleep(after)
    supervisor.end(signal.SIGKILL)
    assert down_all(home) == []
    assert traces(home) == before


def test_a_start_that_fails_takes_itself_away(home, binary):
    before = traces(home)
    broken = home / "bin" / "broken"
    broken.mkdir(parents=True)
    for name in (*control_plane.CONTROL_PLANE, "kubelet", "kube-proxy"):
        (broken / name).symlink_to(binary.parent / name)
    (broken / "kube-apiserver").unlink()
    (broken / "kube-apiserver").write_text("#!/bin/sh\necho 'cannot find my flags'\nexit 3\n")
    (broken / "kube-apiserver").chmod(0o755)
    cluster = EmbeddedCluster(PLAN, home, binary=broken / "kubelet", images=[], group=None, progress=ignore)
    with pytest.raises(ComponentFailed, match=r"kube-apiserver stopped.*cannot find my flags"):
        cluster.ensure_up()
    assert traces(home) == before


@pytest.mark.parametrize("after", [0.3, 1.5, 4.0])
def test_down_in_the_middle_of_the_start_ends_it(home, cluster, after):
    before = traces(home)
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(cluster.ensure_up)
        time.sleep(after)
        assert cluster.down() == []
        error = start.exception(20)
    assert error is None or isinstance(error, StartCancelled)
    assert traces(home) == before


def test_a_taken_port_names_its_owner_and_nothing_is_started(home, cluster):
    before = traces(home)
    script = (
        "import socket, sys\n"
        f"server = socket.create_server(('127.0.0.1', {PLAN.scheduler_port}))\n"
        "print('on', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        owner.stdout.readline()
        with pytest.raises(HostUnfit, match=rf"{PLAN.scheduler_port}/tcp .* taken by .*process {owner.pid}"):
            cluster.check_host()
        with pytest.raises(HostUnfit):
            cluster.ensure_up()
        owner.stdin.close()
    assert traces(home) == before


def test_a_range_in_use_is_named_and_nothing_is_started(home, cluster):
    before = traces(home)
    run(["ip", "route", "add", "blackhole", "10.102.7.0/24"])
    try:
        with pytest.raises(HostUnfit, match=r"10\.102\.0\.0/16 is in use: 10\.102\.7\.0/24"):
            cluster.ensure_up()
    finally:
        run(["ip", "route", "del", "blackhole", "10.102.7.0/24"])
    assert traces(home) == before


def test_two_homes_cannot_run_the_same_instance(home, cluster, binary, tmp_path):
    cluster.ensure_up()
    other = EmbeddedCluster(PLAN, tmp_path, binary=binary, images=[], group=None, progress=ignore)
    with pytest.raises(HostUnfit, match="already runs from"):
        other.ensure_up()
    assert other.down() == []
    assert all(node.ready for node in cluster.status().nodes), "another home's `down` harms nothing"
    assert cluster.down() == []


def test_up_twice_is_once_and_repairs_what_was_killed(home, cluster):
    cluster.ensure_up()
    deploy(cluster)
    pids = {part.name: part.pid for part in cluster.status().components}
    containers = container_pids(cluster)
    cluster.ensure_up()
    assert {part.name: part.pid for part in cluster.status().components} == pids
    for pid in pids.values():
        os.kill(pid, signal.SIGKILL)
    cluster.ensure_up()
    status = cluster.status()
    assert status.running
    assert {part.restarts for part in status.components} == {1}
    assert container_pids(cluster) == containers, "no Pod was restarted"
    assert cluster.down() == []


def test_after_a_reboot_the_next_up_starts_clean(home, cluster):
    cluster.ensure_up()
    deploy(cluster)
    assert cluster.down() == []
    # What a power cut leaves: files of a run that is no more, from another boot.
    (cluster.layout.run).mkdir()
    (cluster.layout.run / "etcd.json").write_text(
        '{"pid": 1, "start_ticks": 1, "started_at": 1, "starts": 4}'
    )
    cluster.layout.etcd.mkdir()
    (cluster.layout.etcd / "member").write_text("half written")
    cluster.layout.namespaces.mkdir()
    (cluster.layout.namespaces / "1").touch()
    cluster.layout.boot_id.write_text("00000000-another-boot")
    cluster.ensure_up()
    status = cluster.status()
    assert status.running
    assert all(node.ready for node in status.nodes)
    assert cluster.down() == []
