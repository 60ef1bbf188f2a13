"""Our images on the real cluster: exit codes, terminals that end, answers of real Pods."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.cluster.client import ClusterClient
from sandbox.cluster.kinds import POD
from sandbox.cluster.waiting import wait_for
from sandbox.errors import Invalid, NotFound
from sandbox.exec_stream import ExecTimeout, open_exec, run
from sandbox.manifests import restricted_container, restricted_pod
from sandbox.prober import Prober
from sandbox.probing import STRANGER, ProbeResult, evaluate, spec_for
from sandbox.record.exercise import Probe
from sandbox.terminal import CREDIT, Exit, TerminalSession, Viewer, read_file, write_file

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]

IMAGES = {
    "storefront": "app/storefront:1.0",
    "toolbox": "glasshull.local/toolbox:1",
    "prober": "glasshull.local/prober:1",
}


@dataclass
class Place:
    client: ClusterClient
    namespace: str

    async def sh(self, script: str, **options: Any) -> Any:
        argv = ["sh", "-c", script]
        return await run(self.client, self.namespace, "toolbox", "toolbox", argv, timeout=15, **options)

    async def processes(self) -> list[str]:
        """Command lines in the toolbox, but for process 1 and the asking itself."""
        lines = (await self.sh("ps -o pid,args")).stdout.decode().splitlines()[1:]
        commands = [line.split(maxsplit=1)[1] for line in lines]
        return [c for c in commands if c != "/bin/init" and "ps -o" not in c]

    async def pod(self, name: str) -> dict[str, Any]:
        return await self.client.request("GET", f"/api/v1/namespaces/{self.namespace}/pods/{name}")

    async def session(self) -> tuple[TerminalSession, Viewer]:
        session = await TerminalSession.open(self.client, self.namespace, "toolbox")
        return session, session.attach()


def pod(name: str) -> dict[str, Any]:
    folders = {"home": "/home/student", "tmp": "/tmp"} if name == "toolbox" else {}
    container = {
        "name": name,
        "image": IMAGES[name],
        "imagePullPolicy": "IfNotPresent",
        "resources": {"requests": {"memory": "16Mi", "cpu": "10m"}, "limits": {"memory": "160Mi"}},
        "securityContext": restricted_container() | {"readOnlyRootFilesystem": True},
        "volumeMounts": [{"name": volume, "mountPath": path} for volume, path in folders.items()],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 4 if name == "storefront" else 1,
            "securityContext": restricted_pod() | {"fsGroup": 1000},
            "containers": [container],
            "volumes": [{"name": volume, "emptyDir": {}} for volume in folders],
        },
    }


SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "storefront"},
    "spec": {"selector": {"app": "storefront"}, "ports": [{"port": 80, "targetPort": 8080}]},
}


async def until(holds: Callable[[], Any], *, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 - what is waited for happens in a cluster
            await asyncio.sleep(0.1)


@pytest.fixture
async def place(admin: ClusterClient) -> AsyncIterator[Place]:
    """A `restricted` namespace with a storefront behind its Service, a toolbox and a prober, all ready."""
    made = Place(admin, f"dev-images-{uuid.uuid4().hex[:8]}")
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": made.namespace, "labels": labels},
    }
    await admin.request("POST", "/api/v1/namespaces", body=namespace)
    base = f"/api/v1/namespaces/{made.namespace}"

    async def has_account() -> bool:
        accounts = await admin.request("GET", f"{base}/serviceaccounts")
        return bool(accounts["items"])

    async def ready() -> bool:
        pods = (await admin.request("GET", f"{base}/pods"))["items"]
        states = [
            c["status"] for p in pods for c in p["status"].get("conditions", []) if c["type"] == "Ready"
        ]
        return states == ["True"] * len(IMAGES)

    try:
        await until(has_account)
        await admin.request("POST", f"{base}/services", body=SERVICE)
        for name in IMAGES:
            await admin.request("POST", f"{base}/pods", body=pod(name))
        await until(ready)
        yield made
    finally:
        await admin.request("DELETE", f"{base}/pods", params={"gracePeriodSeconds": "0"})
        await admin.request("DELETE", base)


async def read_until(viewer: Viewer, wanted: bytes, *, seconds: float = 10) -> bytes:
    said = b""
    async with asyncio.timeout(seconds):
        while wanted not in said:
            output = await viewer.next()
            assert not isinstance(output, Exit), f"ended: {output}, after {said!r}"
            said += output.data
            viewer.acknowledge(viewer.sent)
    return said


async def test_exit_codes_output_and_input(place: Place):
    done = await place.sh("echo out; echo err >&2; exit 3")
    assert (done.code, done.stdout, done.stderr) == (3, b"out\n", b"err\n")
    done = await place.sh("wc -c", stdin=b"x" * 3_000_000)
    assert (done.code, done.stdout.strip()) == (0, b"3000000")
    missing = await run(place.client, place.namespace, "toolbox", "toolbox", ["no-such-program"], timeout=10)
    assert missing.code is None
    assert "not found" in missing.reason


async def test_refusals_are_named(place: Place):
    with pytest.raises(NotFound, match="nobody"):
        await run(place.client, place.namespace, "nobody", "toolbox", ["true"], timeout=10)
    with pytest.raises(Invalid, match="container nothing"):
        await run(place.client, place.namespace, "toolbox", "nothing", ["true"], timeout=10)
    with pytest.raises(ExecTimeout):
        await run(place.client, place.namespace, "toolbox", "toolbox", ["sleep", "5"], timeout=0.5)


async def test_hanging_up_ends_the_shell_and_its_jobs(place: Place):
    """A runtime's own terminal would go on; `terminal` notices."""
    session, viewer = await place.session()
    await session.write(b"sleep 1111 & sleep 2222\n")

    async def both_run() -> bool:
        return {"sleep 1111", "sleep 2222"} <= set(await place.processes())

    await until(both_run)
    await session.close()
    assert isinstance(session.exit, Exit)

    async def all_gone() -> bool:
        return await place.processes() == []

    await until(all_gone, seconds=5)
    viewer.detach()


async def test_a_cut_connection_ends_the_shell_too(place: Place):
    """No close frame, no goodbye: the platform's process was killed."""
    stream = await open_exec(
        place.client, place.namespace, "toolbox", "toolbox", ["terminal", "80", "24", "sh", "-l"]
    )
    assert stream._socket._response.connection is not None
    await asyncio.sleep(0.5)
    assert "sh -l" in await place.processes()
    transport = stream._socket._response.connection.transport
    assert transport is not None
    transport.abort()

    async def all_gone() -> bool:
        return await place.processes() == []

    await until(all_gone, seconds=5)
    await stream.close()


async def test_a_terminal_knows_its_size_and_tells_its_exit(place: Place):
    session, viewer = await place.session()
    await session.resize(101, 33)
    await session.write(b"stty size; id -u; tty\n")
    said = await read_until(viewer, b"/dev/pts/0\r\n")
    assert b"33 101\r\n1000\r\n" in said
    await session.write(b"exit 5\n")
    async with asyncio.timeout(5):
        while not isinstance(ended := await viewer.next(), Exit):
            pass
    assert ended.code == 5
    await session.close()


async def test_yes_does_not_grow_memory(place: Place):
    """Nobody acknowledges: the session stops reading, and the program waits instead of our memory growing."""
    session, viewer = await place.session()
    await session.write(b"yes\n")

    async def stalled() -> bool:
        return session.position - viewer.start >= CREDIT

    await until(stalled)
    before, position = resident(), session.position
    await asyncio.sleep(5)
    assert session.position == position
    assert resident() - before < 4 * 2**20
    viewer.acknowledge(viewer.sent)
    for _ in range(40):
        async with asyncio.timeout(5):
            output = await viewer.next()
        assert not isinstance(output, Exit)
        viewer.acknowledge(viewer.sent)
    assert session.position > position
    await session.write(b"\x03")
    await session.write(b"echo still here\n")
    await read_until(viewer, b"still here\r\n", seconds=15)
    await session.close()


async def test_files_of_the_home(place: Place):
    content = bytes(range(256)) * 2000
    await write_file(place.client, place.namespace, "toolbox", "deep/shop.yaml", content)
    assert (
        await read_file(place.client, place.namespace, "toolbox", "/home/student/deep/shop.yaml") == content
    )
    await write_file(place.client, place.namespace, "toolbox", ".kube/config", b"", mode=0o600)
    assert await read_file(place.client, place.namespace, "toolbox", ".kube/config") == b""
    assert await read_file(place.client, place.namespace, "toolbox", "nothing") is None
    listed = (await place.sh("stat -c '%a %U' ~/.kube/config; ls ~/deep")).stdout
    assert listed == b"600 student\nshop.yaml\n"


async def test_the_toolbox_has_what_a_lesson_types(place: Place):
    # A Service answers about a second after its creation.
    patient = "for i in 1 2 3 4 5; do curl -s storefront/readyz && break; sleep 1; done"
    said = (await place.sh(f"kubectl version --client; {patient}")).stdout.decode()
    assert said.startswith("Client Version: v1.37")
    assert json.loads(said.splitlines()[-1]) == {"ready": True}
    # An interactive shell, because busybox would run its own wget and nslookup otherwise.
    said = (await place.sh("sh -ic 'nslookup storefront; wget -qO- storefront/healthz'")).stdout.decode()
    assert "Name:      storefront" in said
    assert '{"live": true}' in said
    confined = (
        await place.sh("grep -E '^(Seccomp|NoNewPrivs|CapEff):' /proc/self/status; touch /x 2>&1")
    ).stdout.decode()
    assert confined.split()[:6] == ["CapEff:", "0000000000000000", "NoNewPrivs:", "1", "Seccomp:", "2"]
    assert "Read-only file system" in confined


async def test_the_prober_delivers_answers_of_this_pod(place: Place):
    results: list[ProbeResult] = []
    prober = Prober(place.client, (place.namespace, "prober"), on_result=results.append)
    task = asyncio.create_task(prober.run())
    uid = (await place.pod("storefront"))["metadata"]["uid"]
    every = {"every": 0.25, "timeout": 1.0}
    try:
        for probe in (
            Probe(id="front", kind="http", target="storefront:80/whoami", **every),
            Probe(id="page", kind="http", target="storefront:80/", **every),
            Probe(id="nobody", kind="http", target="nobody:80/", **every),
        ):
            prober.start("box", spec_for(probe, place.namespace))

        async def enough() -> bool:
            return min(sum(r.id == name for r in results) for name in ("front", "page", "nobody")) >= 8

        await until(enough)
        prober.stop("box")
        # The Service may need a second to know its Pod; from then on every answer is the Pod's.
        for name in ("front", "page"):
            last = [r for r in results if r.id == name][-4:]
            assert [(evaluate(r, {uid}).ok, evaluate(r, {uid}).pod_uid) for r in last] == [(True, uid)] * 4
            assert evaluate(last[0], {"another"}).reason == STRANGER
        assert {r.error for r in results if r.id == "nobody"} == {"no such host"}
        sent = [r.at_ms for r in results if r.id == "front"]
        assert sent == sorted(sent)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def prober_alone() -> bool:
        state = await run(place.client, place.namespace, "prober", "prober", ["prober"], timeout=5)
        return state.code == 2

    assert await prober_alone()


async def test_the_storefront_says_its_uid_and_leaves_politely(place: Place):
    uid = (await place.pod("storefront"))["metadata"]["uid"]
    patient = "for i in 1 2 3 4 5; do curl -s 'storefront/whoami?nonce=abc' && break; sleep 1; done"
    said = json.loads((await place.sh(patient)).stdout)
    assert (said["pod"], said["podUid"], said["nonce"]) == ("storefront", uid, "abc")
    memory = (await place.sh("curl -s storefront/metrics | grep ^process_resident")).stdout.split()[1]
    assert int(memory) <= 13 * 2**20
    await place.client.request("DELETE", f"/api/v1/namespaces/{place.namespace}/pods/storefront")

    def exited(pod: dict[str, Any] | None) -> bool:
        assert pod is not None, "the Pod was gone before its exit code was seen"
        state = pod["status"]["containerStatuses"][0]["state"]
        return "terminated" in state and state["terminated"]["exitCode"] == 0

    await wait_for(place.client, POD, place.namespace, "storefront", exited, timeout=10)


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
