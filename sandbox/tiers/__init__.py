"""Which kind of sandbox a lesson needs: the cheapest that has all its capabilities. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.errors import SandboxError


class CapabilityUnknown(SandboxError):
    """A lesson asks for what no tier gives; for the author."""


@dataclass(frozen=True, slots=True)
class Tier:
    """One kind of sandbox. `is_open` is False for tiers of later issues: their lessons play recorded."""

    name: str
    gives: frozenset[str]
    is_open: bool
    why_not: str = ""


# Cheapest first. Lesson format, section 6.
_NAMESPACE = frozenset({"nodes.read", "multi-node", "privileged-view", "metrics"})
_CLUSTER = _NAMESPACE | {"nodes.write", "cluster-scoped", "control-plane"}
TIERS: tuple[Tier, ...] = (
    Tier("namespace", _NAMESPACE, is_open=True),
    Tier("own-cluster", _CLUSTER, is_open=False, why_not="a cluster of one's own comes in a later version"),
    Tier(
        "build",
        frozenset({"images.build"}),
        is_open=False,
        why_not="building images comes in a later version",
    ),
    Tier("machine", frozenset({"vm"}), is_open=False, why_not="virtual machines come in a later version"),
)


def cheapest_tier(capabilities: Iterable[str]) -> Tier:
    """Raises CapabilityUnknown."""
    needed = frozenset(capabilities)
    for tier in TIERS:
        if needed <= tier.gives:
            return tier
    known = frozenset().union(*(tier.gives for tier in TIERS))
    if unknown := sorted(needed - known):
        raise CapabilityUnknown(f"No tier gives {', '.join(unknown)}; there is {', '.join(sorted(known))}.")
    raise CapabilityUnknown(f"No single tier gives {', '.join(sorted(needed))}: make two lessons of it.")
