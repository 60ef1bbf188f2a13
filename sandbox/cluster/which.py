"""Which cluster the lessons run on. A pure decision; reading the machine's facts is `read_host`."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Embedded:
    """Build and run our own. `note` is for the operator, "" when there is nothing to say."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class RecordedOnly:
    """No cluster: lessons read and play recorded runs. Both are sentences for the page."""

    reason: str
    remedy: str
    note: str = ""


# The place of clusters that we did not start (GLASSHULL_KUBECONFIG, MicroK8s): they need the safety gate of
# the issue on trust first, so until then they are a RecordedOnly with that reason.
Choice: TypeAlias = Embedded | RecordedOnly


@dataclass(frozen=True, slots=True)
class Host:
    """What decides whether a cluster can run here."""

    system: str  # as `platform.system()`: Linux, Darwin, Windows
    is_root: bool


def read_host() -> Host:
    return Host(platform.system(), hasattr(os, "geteuid") and os.geteuid() == 0)


def choose_cluster(environment: Mapping[str, str], host: Host) -> Choice:
    """`GLASSHULL_KUBECONFIG` first, then our own, else recorded runs with the reason and what would help.

    `KUBECONFIG` is never used: in somebody's shell it may point at their production.
    """
    note = _kubeconfig_note(environment)
    if named := environment.get("GLASSHULL_KUBECONFIG"):
        return RecordedOnly(
            f"GLASSHULL_KUBECONFIG names a cluster of yours ({named}), and this version runs only its own.",
            "Unset GLASSHULL_KUBECONFIG, and the embedded cluster is used.",
            note,
        )
    if host.system != "Linux":
        return RecordedOnly(
            f"The embedded cluster needs Linux; this is {_plain(host.system)}.",
            "Run it on a Linux machine (Debian 12 is tested), as root.",
            note,
        )
    if not host.is_root:
        return RecordedOnly(
            "The embedded cluster needs root: it makes network namespaces and cgroups.",
            "Stop this and start it again as root, for example with `sudo make up`.",
            note,
        )
    return Embedded(note)


def _kubeconfig_note(environment: Mapping[str, str]) -> str:
    other = environment.get("KUBECONFIG")
    if not other or "GLASSHULL_KUBECONFIG" in environment:
        return ""
    return (
        f"KUBECONFIG ({Path(other.split(os.pathsep)[0]).name}) is set and not used. "
        "To name a cluster for lessons, set GLASSHULL_KUBECONFIG instead."
    )


def _plain(system: str) -> str:
    return {"Darwin": "macOS", "": "an unknown system"}.get(system, system)
