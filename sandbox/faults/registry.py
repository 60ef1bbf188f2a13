"""Whether a fault may be injected as it is written. The kinds themselves are in `sandbox.record.fault_kinds`."""

from __future__ import annotations

from sandbox.errors import SandboxError
from sandbox.faults.targets import parse_target
from sandbox.record.exercise import Fault
from sandbox.record.fault_kinds import KINDS, FaultKind, complaints

# What can be injected here and now; the others are named, with a reason.
FAULTS: dict[str, FaultKind] = {name: kind for name, kind in KINDS.items() if kind.refused is None}


class FaultInvalid(SandboxError):
    """The exercise asks for a fault that does not exist or lacks something; for the author."""


def check_fault(fault: Fault) -> FaultKind:
    """The kind of a well-formed fault. Raises FaultInvalid or TargetInvalid with what to write instead."""
    for _key, text in complaints(fault):
        raise FaultInvalid(f"Fault {fault.id}: {text}.")
    kind = KINDS[fault.kind]
    if kind.has_target:
        parse_target(fault.target)
    if fault.pick not in ("one", "all") and not (isinstance(fault.pick, int) and fault.pick > 0):
        raise FaultInvalid(f"Fault {fault.id}: `pick` is one, all or a number from 1, not {fault.pick!r}.")
    return kind
