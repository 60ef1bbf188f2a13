"""Whoever follows the API server by watches is started anew after it was away.

client-go waits up to 30 s (with jitter 60 s) between two tries of a broken watch, and forgets that only after two
quiet minutes (`reflector.go`: NewExponentialBackoffManager(800ms, 30s, 2min, 2.0, 1.0)); no flag changes it. Measured
here: after 10 s without an API server a new Pod took 24 s, after a second outage 70 s; with fresh followers 2 s.
"""

import time
from collections.abc import Sequence

from sandbox.embedded import control_plane, node
from sandbox.embedded.api import AdminApi
from sandbox.embedded.plan import ClusterPlan
from sandbox.embedded.processes import Component, Processes, Trace, kill

_GONE_SECONDS = 2.0


def followers_of(plan: ClusterPlan) -> tuple[str, ...]:
    """In the order in which a change passes through them."""
    return (
        control_plane.CONTROLLER_MANAGER,
        control_plane.SCHEDULER,
        *(node.kubelet_name(worker) for worker in plan.workers),
        *(node.proxy_name(worker) for worker in plan.workers),
        control_plane.DNS,
    )


def older_than(api_server: Trace | None, traces: dict[str, Trace | None]) -> list[str]:
    """Those that were started before the API server that runs now: they have seen another one die."""
    if api_server is None:
        return []
    return [name for name, trace in traces.items() if trace and trace.started_at < api_server.started_at]


class Followers:
    """Looks in every round of the supervisor; acts once the API server answers again."""

    def __init__(
        self, plan: ClusterPlan, components: Sequence[Component], processes: Processes, api: AdminApi
    ) -> None:
        names = followers_of(plan)
        self._components = {each.name: each for each in components if each.name in names}
        self._processes, self._api = processes, api

    def ensure_fresh(self) -> list[str]:
        """Start the old ones anew; their names. Raises OSError, StartCancelled."""
        processes = self._processes
        api_server = processes.read_trace(control_plane.API_SERVER)
        old = older_than(api_server, {name: processes.read_trace(name) for name in self._components})
        if not old or not self._api.is_ready():
            return []
        for name in old:
            self._start_anew(self._components[name])
        return old

    def _start_anew(self, component: Component) -> None:
        trace = self._processes.read_trace(component.name)
        if trace is not None and self._processes.is_alive(component.name):
            kill(trace.pid)  # what it owns lies in the API server, in containerd and in nftables
            until = time.monotonic() + _GONE_SECONDS
            while self._processes.is_alive(component.name) and time.monotonic() < until:
                time.sleep(0.01)
        self._processes.start(component)
