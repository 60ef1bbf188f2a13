"""The embedded cluster as one thing: up, kept up, looked at, taken down."""

import datetime as dt
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from sandbox.embedded import cgroups, checking, control_plane, down, files, host, network, node
from sandbox.embedded.api import AdminApi
from sandbox.embedded.backoff import Backoff
from sandbox.embedded.errors import ComponentFailed, StartCancelled, StartTimedOut
from sandbox.embedded.followers import Followers
from sandbox.embedded.hands import HandsDesk
from sandbox.embedded.importing import ImageTar, import_image, is_serving, missing_on
from sandbox.embedded.layout import Layout
from sandbox.embedded.names_rules import NameRules, reload_for
from sandbox.embedded.plan import ClusterPlan, NodePlan
from sandbox.embedded.processes import Component, Processes
from sandbox.embedded.progress import Progress, Report
from sandbox.embedded.status import ClusterStatus, is_ready, status_of

# A cold start takes 5 s on an idle machine with two cores; a busy one may take ten times that.
_START_SECONDS = 120.0
_LOOK_EVERY = 0.25
_TRIM_EVERY = 60.0
_STEPS = 6
_REPAIRS = 2


class EmbeddedCluster:
    """One cluster of this machine. `down`, `cancel` and `status` may be called from any thread.

    `binary` lies in the folder of all components (`ensure_binary`), `images` are OCI-layout tars,
    `group` may read the scoped kubeconfigs and the audit log.
    """

    def __init__(
        self,
        plan: ClusterPlan,
        home: Path,
        *,
        binary: Path,
        images: Sequence[Path],
        group: int | None,
        progress: Callable[[Progress], None],
    ) -> None:
        self.plan = plan
        self.home = home.resolve()
        self.layout = Layout(self.home, plan)
        self._binaries = binary.parent.resolve()
        self._images = [ImageTar(path.resolve()) for path in images]
        self._group = group
        self._report: Report = progress
        self._processes = Processes(self.layout)
        self._api = AdminApi(plan, self.layout.pki)
        # Going up and going down exclude each other; a failed start goes down inside its going up.
        self._changing = threading.RLock()

    # --- reading ------------------------------------------------------------------------------

    @property
    def kubectl(self) -> Path:
        return self._binaries / "kubectl"

    def components(self) -> tuple[Component, ...]:
        """All components in the order in which they are started."""
        layout, binaries = self.layout, self._binaries
        return (
            control_plane.registry_for(layout, sys.executable),
            control_plane.etcd_for(layout, binaries),
            control_plane.api_server_for(layout, binaries),
            control_plane.controller_manager_for(layout, binaries),
            control_plane.scheduler_for(layout, binaries),
            control_plane.dns_for(layout, binaries),
            *(node.containerd_for(layout, worker) for worker in self.plan.workers),
            *(node.kubelet_for(layout, worker, binaries) for worker in self.plan.workers),
            *(node.proxy_for(layout, worker, binaries) for worker in self.plan.workers),
        )

    def status(self) -> ClusterStatus:
        """Works from any process: it reads /proc and the state folder."""
        names = [component.name for component in self.components()]
        return status_of(self.layout, self._processes, names)

    def check_host(self) -> None:
        """Raises HostUnfit when this machine cannot carry the cluster; starts nothing."""
        checking.check_host(self.layout)

    # --- up -----------------------------------------------------------------------------------

    def ensure_up(self) -> None:
        """Bring up whatever is missing; on a running cluster this is the repair.

        Raises EmbeddedError. What a failed first start had begun is taken away again; a cluster that
        was running is left as it is.
        """
        self._processes.open()
        with self._changing:
            self._ensure_up()

    def _ensure_up(self) -> None:
        was_running = any(self._processes.is_alive(component.name) for component in self.components())
        self.check_host()
        try:
            self._bring_up_again() if was_running else self._bring_up()
        except BaseException as error:
            if not was_running or isinstance(error, StartCancelled):
                self.down()
            raise

    def _bring_up_again(self) -> None:
        """The repair. What was killed a moment ago may have looked alive: then once more."""
        for _ in range(_REPAIRS):
            try:
                return self._bring_up()
            except ComponentFailed as error:
                self._note(f"the repair begins again: {error}")
        return self._bring_up()

    def _bring_up(self) -> None:
        self._say(0, "Preparing certificates, networks and nodes")
        host.claim(self.layout)
        files.ensure_this_boot(self.layout)
        files.ensure_files(self.layout, self._group)
        host.ensure_settings()
        network.ensure_root(self.plan)
        parts = {component.name: component for component in self.components()}
        self._processes.ensure(parts[control_plane.REGISTRY])
        self._processes.ensure(parts[control_plane.ETCD])
        with ThreadPoolExecutor(self.plan.nodes, "node") as pool:
            # The API server waits for etcd by itself, longer than etcd takes.
            self._processes.ensure(parts[control_plane.API_SERVER])
            pause_ready = [threading.Event() for _ in self.plan.workers]
            nodes = [
                pool.submit(self._prepare_node, worker, parts, event)
                for worker, event in zip(self.plan.workers, pause_ready, strict=True)
            ]
            self._say(1, "Starting etcd and the API server")
            self._wait(self._api.is_ready, control_plane.API_SERVER, "the API server answers")
            self._say(2, "Starting controllers, DNS and nodes")
            for name in (control_plane.CONTROLLER_MANAGER, control_plane.SCHEDULER):
                self._processes.ensure(parts[name])
            self._apply_dns()
            self._processes.ensure(parts[control_plane.DNS])
            self._start_kubelets(parts, pause_ready, nodes)
            self._wait_for_nodes()
            self._say(5, "Giving the nodes their images")
            for prepared in nodes:
                prepared.result()
        for part in parts.values():
            self._processes.ensure(part)
        self._say(_STEPS, "The cluster is ready")

    def _prepare_node(
        self, worker: NodePlan, parts: dict[str, Component], pause_ready: threading.Event
    ) -> None:
        """Network, cgroups, containerd and images of one node; runs beside the API server's start."""
        try:
            cgroups.ensure_cgroups(worker)
            network.ensure_node(self.plan, worker)
            network.ensure_mount_namespace(self.layout, worker)
            name = node.containerd_name(worker)
            self._processes.ensure(parts[name])
            self._wait(lambda: is_serving(self.layout, worker), name, f"containerd of {worker.name} answers")
            missing = missing_on(self.layout, worker, self._images)
            # No Pod starts without the pause image; the others may come while kubelet starts.
            for image in sorted(missing, key=lambda image: node.PAUSE_IMAGE not in image.digests):
                if node.PAUSE_IMAGE not in image.digests:
                    pause_ready.set()
                import_image(self.layout, worker, image)
        finally:
            pause_ready.set()

    def _start_kubelets(
        self, parts: dict[str, Component], ready: list[threading.Event], nodes: list[Future[None]]
    ) -> None:
        for worker, event, prepared in zip(self.plan.workers, ready, nodes, strict=True):
            event.wait(_START_SECONDS)
            if prepared.done():
                prepared.result()
            self._processes.ensure(parts[node.kubelet_name(worker)])
            self._processes.ensure(parts[node.proxy_name(worker)])

    def _apply_dns(self) -> None:
        # `kube-system` and the built-in roles appear a moment after the first "ok".
        self._wait(
            lambda: self._api.exists("/api/v1/namespaces/kube-system"),
            control_plane.API_SERVER,
            "the namespace kube-system exists",
        )
        for path, manifest in control_plane.dns_objects(self.layout):
            self._api.apply(path, manifest)

    def _wait_for_nodes(self) -> None:
        wanted = {worker.name for worker in self.plan.workers}
        shown = -1

        def all_ready() -> bool:
            nonlocal shown
            ready = {item["metadata"]["name"] for item in self._api.read_nodes() if is_ready(item)} & wanted
            if len(ready) != shown:
                shown = len(ready)
                self._say(3, f"Waiting for nodes: {shown} of {len(wanted)} ready")
            return ready == wanted

        self._wait(all_ready, None, "all nodes are Ready")
        self._say(4, "Waiting for the name service and the default account")
        for path in (
            "/api/v1/namespaces/default/serviceaccounts/default",
            "/api/v1/namespaces/default/configmaps/kube-root-ca.crt",
        ):
            self._wait(
                lambda path=path: self._api.exists(path),  # type: ignore[misc]
                control_plane.CONTROLLER_MANAGER,
                f"{path.rsplit('/', 1)[-1]} exists",
            )
        ready_url = f"http://127.0.0.1:{self.plan.dns_ready_port}/ready"
        self._wait(lambda: checking.answers(ready_url), control_plane.DNS, "CoreDNS is ready")

    def _wait(self, condition: Callable[[], bool], component: str | None, what: str) -> None:
        """Until `condition`; at once an error when the component it depends on is gone."""
        deadline = time.monotonic() + _START_SECONDS
        while not condition():
            self._processes.must_be_open()
            for name in (component,) if component else [part.name for part in self.components()]:
                self._processes.must_live(name)
            if time.monotonic() > deadline:
                raise StartTimedOut(
                    f"After {_START_SECONDS:.0f} s it is not yet true that {what}; is the machine too busy?",
                    f"Look into {self.layout.logs}, then start again.",
                )
            time.sleep(0.05)

    def _say(self, done: int, text: str) -> None:
        self._report(Progress("starting", text, done, _STEPS, None))

    # --- kept up ------------------------------------------------------------------------------

    def keep(self, stop: threading.Event) -> None:
        """Start dead components again until `stop` is set. Returns with the cluster still running."""
        components = self.components()
        backoff = Backoff()
        followers = Followers(self.plan, components, self._processes, self._api)
        trim_at = time.monotonic() + _TRIM_EVERY
        while not stop.wait(_LOOK_EVERY):
            for component in components:
                if not stop.is_set() and not self._processes.is_alive(component.name):
                    self._revive(component, backoff)
            self._refresh(followers)
            self._processes.reap_all()
            if time.monotonic() > trim_at:
                self._processes.trim_logs()
                trim_at = time.monotonic() + _TRIM_EVERY

    def _revive(self, component: Component, backoff: Backoff) -> None:
        now = time.monotonic()
        if not backoff.is_due(component.name, now):
            return
        words = self._processes.last_words(component.name)
        try:
            self._processes.start(component)
            self._note(f"{component.name} had stopped and was started again; its last words: {words}")
        except StartCancelled:
            return
        except OSError as error:
            self._note(f"{component.name} has stopped and cannot be started: {error}")
        backoff.started(component.name, now)

    def _refresh(self, followers: Followers) -> None:
        try:
            if fresh := followers.ensure_fresh():
                self._note(f"the API server had been away: {', '.join(fresh)} were started anew")
        except StartCancelled:
            return
        except OSError as error:
            self._note(f"what follows the API server cannot be started anew: {error}")

    def _note(self, text: str) -> None:
        moment = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
        with self.layout.supervisor_log.open("a") as log:
            log.write(f"{moment} {text}\n")

    def open_hands(self, path: Path, uid: int, gid: int) -> HandsDesk:
        """What the pages' server may ask of root, at a socket; stopped by who opened it. Raises OSError."""
        rules = NameRules(self.layout, reload_for(self._processes))
        desk = HandsDesk(self.layout, self._api, rules, path, uid, gid)
        desk.start()
        return desk

    # --- down ---------------------------------------------------------------------------------

    def down(self) -> list[str]:
        """Take everything away but certificates, logs and image stores. Gives what stayed."""
        self.cancel()
        with self._changing:
            return down.remove_cluster(self.layout, after_kill=self._processes.reap_all)

    def cancel(self) -> None:
        """Make `ensure_up` in another thread give up (StartCancelled) and `keep` start nothing more."""
        self._processes.close()
