"""May the cluster start on this machine? Asked before anything is started."""

import json
import os
import re
import shutil
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from sandbox.embedded import host
from sandbox.embedded.commands import run
from sandbox.embedded.errors import HostUnfit
from sandbox.embedded.layout import Layout
from sandbox.embedded.node import CNI_PLUGINS
from sandbox.embedded.plan import ClusterPlan
from sandbox.embedded.processes import is_going, marked_pids

# Command -> Debian package it comes with.
_TOOLS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "nft": "nftables",
    "ip": "iproute2",
    "ss": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "mount": "mount",
}
_PLUGINS = ("ptp", "host-local", "portmap", "loopback")
_LET_GO_SECONDS = 5.0
_FREE_BYTES = 2_000_000_000
_ANYWHERE = frozenset({"0.0.0.0", "*", "::"})  # noqa: S104 (what `ss` prints, nothing is bound)


@dataclass(frozen=True)
class Listener:
    """A line of `ss -Hlntup`."""

    protocol: str
    address: str
    port: int
    process: str
    pids: frozenset[int]


def check_host(layout: Layout) -> None:
    """Raises HostUnfit with the first thing that is in the way. Our own survivors are not."""
    _check_platform()
    _check_tools()
    _check_disk(layout.home)
    host.must_be_free(layout)
    ours = frozenset(marked_pids(layout.id))
    taken = find_taken_port(layout.plan, _settled_listeners(layout.plan), ours)
    if taken is not None:
        raise HostUnfit(taken, "Stop that program, then start again.")
    routes = json.loads(run(["ip", "-j", "-4", "route", "show", "table", "all"]) or "[]")
    overlap = find_overlap(layout.plan, routes)
    if overlap is not None:
        raise HostUnfit(overlap, "Take that network down, then start again.")


def _check_platform() -> None:
    if sys.platform != "linux":
        raise HostUnfit("The live cluster needs Linux.", "Use a Debian 12 machine for live lessons.")
    if os.geteuid() != 0:
        raise HostUnfit(
            "The live cluster needs root, for network namespaces and cgroups.",
            "Start it with `sudo make up`.",
        )


def _check_tools() -> None:
    missing = sorted({package for tool, package in _TOOLS.items() if shutil.which(tool) is None})
    if any(not (CNI_PLUGINS / plugin).exists() for plugin in _PLUGINS):
        missing.append("containernetworking-plugins")
    if missing:
        raise HostUnfit(
            f"The live cluster needs Debian packages that are missing: {', '.join(missing)}.",
            f"Run: apt-get install {' '.join(missing)}",
        )


def _check_disk(home: Path) -> None:
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    if free < _FREE_BYTES:
        raise HostUnfit(
            f"The cluster needs 2 GB of free disk below {place}, and {free / 1e9:.1f} GB are left.",
            "Free some space, then start again.",
        )


def _settled_listeners(plan: ClusterPlan) -> list[Listener]:
    """Who listens, once processes killed a moment ago have let go of their ports."""
    ports = {port for _, _, port in plan.listeners}
    deadline = time.monotonic() + _LET_GO_SECONDS
    while True:
        listeners = list(parse_listeners(run(["ss", "-Hlntup"])))
        going = any(
            # No pid at all: it has just dropped its files, or belongs to another pid namespace.
            listener.port in ports and all(is_going(pid) for pid in listener.pids)
            for listener in listeners
        )
        if not going or time.monotonic() > deadline:
            return listeners
        time.sleep(0.05)


def parse_listeners(text: str) -> Iterator[Listener]:
    """The lines of `ss -Hlntup`. Pure."""
    for line in text.splitlines():
        fields = line.split(None, 6)
        if len(fields) < 6:
            continue
        address, _, port = fields[4].rpartition(":")
        users = fields[6] if len(fields) > 6 else ""
        names = re.findall(r'"([^"]+)",pid=(\d+)', users)
        yield Listener(
            fields[0],
            address.strip("[]").partition("%")[0],
            int(port) if port.isdigit() else 0,
            f"{names[0][0]} (process {names[0][1]})" if names else "an unknown process",
            frozenset(int(pid) for _, pid in names),
        )


def find_taken_port(plan: ClusterPlan, listeners: Iterable[Listener], ours: Set[int]) -> str | None:
    """One sentence naming who listens where we must. Pure."""
    foreign = [listener for listener in listeners if not listener.pids & ours]
    for protocol, address, port in plan.listeners:
        for listener in foreign:
            if (listener.protocol, listener.port) != (protocol, port):
                continue
            if listener.address == address or listener.address in _ANYWHERE:
                return f"Port {port}/{protocol} on {address} is taken by {listener.process}."
    return None


def find_overlap(plan: ClusterPlan, routes: Iterable[dict[str, Any]]) -> str | None:
    """One sentence naming the route that leads our addresses elsewhere. Pure.

    `routes` is what `ip -j -4 route show table all` gives. Default routes do not count: ours are
    more specific.
    """
    for route in routes:
        network = _network_of(str(route.get("dst", "")))
        device = str(route.get("dev", ""))
        if network is None or device.startswith(plan.link_prefix):
            continue
        if device == "lo" and network == IPv4Network(plan.root):
            continue
        for ours in (plan.machines, plan.pods, plan.services):
            if network.overlaps(ours):
                return (
                    f"The range {ours} is in use: {network} leads to {device or 'nowhere'} on this machine."
                )
    return None


def _network_of(text: str) -> IPv4Network | None:
    if text in ("", "default", "0.0.0.0/0"):
        return None
    try:
        return IPv4Network(text) if "/" in text else IPv4Network(IPv4Address(text))
    except ValueError:
        return None


def answers(url: str) -> bool:
    """True when a plain GET on loopback succeeds."""
    try:
        with urllib.request.urlopen(url, timeout=2.0) as answer:  # noqa: S310 (our own URL)
            return bool(answer.status == 200)
    except OSError:
        return False
