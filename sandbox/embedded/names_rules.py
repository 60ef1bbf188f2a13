"""Names that the cluster's name service denies for a while: a fault of one sandbox, seen by nobody else.

One file a namespace in a folder that the Corefile imports; CoreDNS reads it again on SIGUSR1 and goes on answering
meanwhile. A rule ends at its time whatever became of who asked for it, and none outlives the supervisor.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Callable

from sandbox.embedded.control_plane import DNS, name_rules_folder
from sandbox.embedded.layout import Layout
from sandbox.embedded.pki import write_private
from sandbox.embedded.plan import DNS_PORT, DOMAIN
from sandbox.embedded.processes import Processes, read_start_ticks

SUFFIX = ".rule"


class NameRules:
    """Safe to use from several threads."""

    def __init__(self, layout: Layout, reload: Callable[[], None]) -> None:
        self._layout, self._reload = layout, reload
        self._folder = name_rules_folder(layout)
        self._until: dict[str, float] = {}
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Forget what a supervisor before us left. Raises OSError."""
        with self._lock:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            left = list(self._folder.glob(f"*{SUFFIX}"))
            for each in left:
                each.unlink(missing_ok=True)
            if left:
                self._reload()

    def put(self, namespace: str, names: tuple[str, ...], until: float) -> None:
        """Deny these names (none: all) of `namespace`; `until` on the monotonic clock. Replaces its last rule."""
        with self._lock:
            rule = rule_for(self._layout, namespace, names)
            write_private(self._folder / f"{namespace}{SUFFIX}", rule.encode())
            self._until[namespace] = until
            self._reload()

    def remove(self, namespace: str) -> None:
        with self._lock:
            self._drop([namespace])

    def sweep(self, now: float) -> None:
        """Drop what is over."""
        with self._lock:
            self._drop([namespace for namespace, until in self._until.items() if now >= until])

    def _drop(self, namespaces: list[str]) -> None:
        known = [each for each in namespaces if self._until.pop(each, None) is not None]
        for each in known:
            (self._folder / f"{each}{SUFFIX}").unlink(missing_ok=True)
        if known:
            self._reload()


def rule_for(layout: Layout, namespace: str, names: tuple[str, ...]) -> str:
    """Server blocks of CoreDNS: the longest zone that fits a name answers, so these come before the cluster's own."""
    base = f"{namespace}.svc.{DOMAIN}"
    zones = [f"{name}.{base}" for name in names] or [base]
    return "".join(
        f"""\
{zone}:{DNS_PORT} {{
    bind {layout.plan.root}
    errors
    template ANY ANY {zone} {{
        rcode NXDOMAIN
    }}
}}
"""
        for zone in zones
    )


def reload_for(processes: Processes) -> Callable[[], None]:
    """Tells CoreDNS to read its configuration again; one that is not running reads it when it starts."""

    def reload() -> None:
        trace = processes.read_trace(DNS)
        if trace is not None and read_start_ticks(trace.pid) == trace.start_ticks:
            with contextlib.suppress(ProcessLookupError):
                os.kill(trace.pid, signal.SIGUSR1)

    return reload
