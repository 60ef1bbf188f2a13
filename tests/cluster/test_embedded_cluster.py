"""The embedded cluster is a real one: nodes, addresses, names, walls, images and its log."""

import json
import socket
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import pytest

from sandbox.embedded.commands import run
from sandbox.embedded.files import read_machine
from sandbox.embedded.plan import ClusterPlan
from sandbox.embedded.status import read_status

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

PLAN = ClusterPlan()


@pytest.fixture(scope="module")
def namespace(embedded):
    name = f"test-embedded-{uuid.uuid4().hex[:6]}"
    embedded.kubectl("create", "namespace", name)
    yield name
    embedded.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="module")
def shop(embedded, namespace):
    """Three Pods behind a NodePort; gives (namespace, name of one Pod, node port)."""
    embedded.kubectl(
        "-n", namespace, "create", "deployment", "web", "--image=app/storefront:1.0", "--replicas=3"
    )
    embedded.kubectl(
        "-n", namespace, "expose", "deployment", "web", "--port=80", "--target-port=8080", "--type=NodePort"
    )
    embedded.kubectl("-n", namespace, "rollout", "status", "deployment/web", "--timeout=60s")
    pod = embedded.kubectl(
        "-n", namespace, "get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}"
    )
    port = embedded.kubectl(
        "-n", namespace, "get", "service", "web", "-o", "jsonpath={.spec.ports[0].nodePort}"
    )
    return namespace, pod, int(port)


def python_in(embedded, shop, script):
    namespace, pod, _ = shop
    return embedded.kubectl("-n", namespace, "exec", pod, "--", "python3", "-c", script)


def test_three_nodes_of_the_right_version_are_ready(embedded):
    nodes = json.loads(embedded.kubectl("get", "nodes", "-o", "json"))["items"]
    assert [node["metadata"]["name"] for node in nodes] == ["worker-1", "worker-2", "worker-3"]
    for node, plan in zip(nodes, PLAN.workers, strict=True):
        assert node["status"]["nodeInfo"]["kubeletVersion"] == "v1.37.2"
        assert {"type": "InternalIP", "address": str(plan.address)} in node["status"]["addresses"]
        ready = next(c for c in node["status"]["conditions"] if c["type"] == "Ready")
        assert ready["status"] == "True"


def test_what_nodes_offer_adds_up_to_the_machine(embedded):
    nodes = json.loads(embedded.kubectl("get", "nodes", "-o", "json"))["items"]
    offers = [node["status"]["allocatable"] for node in nodes]
    cpus, memory = read_machine()
    millis = [int(o["cpu"][:-1]) if o["cpu"].endswith("m") else 1000 * int(o["cpu"]) for o in offers]
    assert sum(millis) == 1000 * cpus
    total = sum(1024 * int(offer["memory"].removesuffix("Ki")) for offer in offers)
    assert memory - 3 * 1024 <= total <= memory


def test_status_names_every_component_with_its_process(embedded):
    status = read_status(embedded.home)
    assert status.running
    assert status.version == "v1.37.2"
    assert len(status.components) == 6 + 3 * 3
    for part in status.components:
        assert part.alive
        assert part.name.rstrip("-123") in _command_of(part.pid)
        assert part.pss_bytes > 1_000_000
        assert (part.node is not None) == part.name.startswith(("containerd", "kubelet", "kube-proxy"))
    assert all(status.disk_bytes[part] > 10_000_000 for part in ("bin", "images", "cluster"))
    assert json.loads(json.dumps(status.as_json()))["nodes"][0]["name"] == "worker-1"


def _command_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_node_port_answers_on_every_node(shop, number):
    # A Service answers about a second after it was made.
    deadline = time.monotonic() + 5
    while True:
        try:
            with urllib.request.urlopen(
                f"http://{PLAN.node(number).address}:{shop[2]}/whoami", timeout=5
            ) as answer:
                assert json.load(answer)["app"] == "storefront"
                return
        except urllib.error.URLError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_pods_lie_on_all_nodes_in_the_nodes_ranges(embedded, shop):
    pods = json.loads(embedded.kubectl("-n", shop[0], "get", "pods", "-l", "app=web", "-o", "json"))["items"]
    assert {pod["spec"]["nodeName"] for pod in pods} == {"worker-1", "worker-2", "worker-3"}
    for pod in pods:
        assert pod["status"]["podIP"].startswith(f"10.1.{pod['spec']['nodeName'][-1]}.")


def test_a_service_answers_by_name_in_milliseconds(embedded, shop):
    said = python_in(
        embedded,
        shop,
        "import socket,time,urllib.request\n"
        "t=time.time(); a=socket.getaddrinfo('web',80)[0][4][0]; d=time.time()-t\n"
        "print(a, d<0.5, b'storefront' in urllib.request.urlopen('http://web/whoami',timeout=5).read())",
    )
    address, quick, answered = said.split()
    assert address.startswith("10.152.183.")
    assert (quick, answered) == ("True", "True")


def test_names_outside_do_not_exist_and_say_so_at_once(embedded, shop):
    said = python_in(
        embedded,
        shop,
        "import socket,time\nt=time.time()\n"
        "try: socket.getaddrinfo('example.org',80)\n"
        "except socket.gaierror as e: print(e.errno==socket.EAI_NONAME, time.time()-t<1)",
    )
    assert said.split() == ["True", "True"]


def test_pods_reach_neither_the_machines_ports_nor_what_lies_behind(embedded, shop):
    with socket.create_server(("0.0.0.0", 0)) as server:
        port = server.getsockname()[1]
        targets = [
            ("10.2.0.1", port),
            ("10.2.0.1", 16450),
            *((address, port) for address in _own_addresses()),
        ]
        said = python_in(
            embedded,
            shop,
            "import socket\n"
            f"for target in {targets!r}:\n"
            "  try: socket.create_connection(target,3); print('open')\n"
            "  except OSError: print('closed')",
        )
    assert said.split() == ["closed"] * len(targets)
    assert len(targets) > 2


def _own_addresses():
    found = json.loads(run(["ip", "-j", "-4", "address", "show", "scope", "global"]))
    return [
        part["local"]
        for link in found
        for part in link.get("addr_info", [])
        if link["ifname"] != "lo" and not link["ifname"].startswith("gh")
    ]


def test_an_unknown_image_fails_fast_and_plainly(embedded, namespace):
    embedded.kubectl("-n", namespace, "run", "nope", "--image=app/nosuch:1.0", "--restart=Never")
    deadline = time.monotonic() + 8
    message = ""
    while "not found" not in message:
        assert time.monotonic() < deadline, message
        time.sleep(0.2)
        events = json.loads(
            embedded.kubectl(
                "-n", namespace, "get", "events", "--field-selector=involvedObject.name=nope", "-o", "json"
            )
        )["items"]
        message = " ".join(event["message"] for event in events)
    assert "docker.io/app/nosuch:1.0: not found" in message
    assert "dial tcp" not in message
    assert "lookup" not in message


def test_a_pod_has_no_more_processes_than_its_share(embedded, shop):
    uid = embedded.kubectl("-n", shop[0], "get", "pod", shop[1], "-o", "jsonpath={.metadata.uid}")
    limits = {
        path.read_text().strip() for path in Path("/sys/fs/cgroup").glob(f"**/gh1n*/**/pod{uid}/pids.max")
    }
    assert limits == {"256"}


def test_the_audit_log_tells_what_a_service_account_did_and_not_what_components_do(embedded, namespace):
    embedded.kubectl("-n", namespace, "create", "serviceaccount", "student")
    embedded.kubectl(
        "-n",
        namespace,
        "create",
        "rolebinding",
        "student",
        "--clusterrole=edit",
        f"--serviceaccount={namespace}:student",
    )
    token = embedded.kubectl("-n", namespace, "create", "token", "student").strip()
    user = f"system:serviceaccount:{namespace}:student"
    embedded.kubectl("--token", token, "-n", namespace, "get", "pods", check=False)
    embedded.kubectl(
        "-n", namespace, "--as", user, "create", "configmap", "note", "--from-literal=secret=swordfish"
    )
    log = embedded.home / "shared/audit/audit.log"
    deadline = time.monotonic() + 5
    while True:
        events = [json.loads(line) for line in log.read_text().splitlines() if namespace in line]
        done = [event for event in events if event.get("impersonatedUser", {}).get("username") == user]
        if done or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    created = next(event for event in done if event["verb"] == "create")
    assert created["objectRef"]["name"] == "note"
    assert created["userAgent"].startswith("kubectl/")
    assert created["level"] == "Metadata"
    assert "swordfish" not in log.read_text()
    names = {json.loads(line)["user"]["username"] for line in log.read_text().splitlines()}
    assert not {
        name
        for name in names
        if name.startswith(("system:node:", "system:kube-", "system:serviceaccount:kube-system:"))
    }


def test_secrets_of_the_cluster_belong_to_root_alone(embedded):
    state = embedded.home / "cluster-1"
    assert oct(state.stat().st_mode & 0o777) == "0o700"
    assert {oct(key.stat().st_mode & 0o777) for key in (state / "pki").glob("*.key")} == {"0o600"}
    assert {oct(file.stat().st_mode & 0o777) for file in (embedded.home / "shared/kube").iterdir()} == {
        "0o640"
    }


@pytest.mark.parametrize(
    "name", ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet"]
)
def test_every_component_of_the_binary_tells_its_own_version(embedded, name):
    binary = embedded.product.kubectl_path.parent / name
    assert run([binary, "--version"]).strip() == "Kubernetes v1.37.2"
