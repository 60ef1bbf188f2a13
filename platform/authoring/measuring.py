"""What a run used, from its record and from what the kernel counted meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.record.entry import Entry


@dataclass(frozen=True, slots=True)
class Peak:
    """`pods`: most at once, those on their way out included; `pods_at_rest`: those staying when it was handed over.

    `memory`: most bytes the apps said they used together, None where nobody measured. `cores`: most CPU in any ten
    seconds, which is in no record: the kernel counted it, or it is None.
    """

    pods: int
    pods_at_rest: int
    memory: int | None
    cores: float | None = None


def peak_of(entries: Iterable[Entry], cores: float | None = None) -> Peak:
    there: dict[str, bool] = {}  # uid -> stays
    most = 0
    memory: int | None = None
    for entry in entries:
        if entry.kind == "object" and entry.change.get("kind") == "Pod":
            if entry.change["op"] == "DELETED":
                there.pop(entry.uid, None)
            else:
                there[entry.uid] = not entry.change["object"]["metadata"].get("deletionTimestamp")
            most = max(most, len(there))
        elif entry.kind == "measure":
            together = int(sum(entry.change["pods"].values()))
            memory = max(memory or 0, together)
    return Peak(most, sum(there.values()), memory, cores)
