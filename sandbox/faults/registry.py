"""Which faults exist and what each needs. One place for the loader, the menu and the injector."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.errors import SandboxError
from sandbox.faults.targets import parse_target
from sandbox.record.exercise import Fault

MOST_SECONDS = 120.0  # of any fault: it reverts by itself after this (lesson format, section 4.7)


class FaultInvalid(SandboxError):
    """The exercise asks for a fault that does not exist or lacks something; for the author."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind. `mechanism` is what really happens, in one plain sentence."""

    name: str
    mechanism: str
    is_lasting: bool = False


FAULTS: dict[str, FaultKind] = {
    "kill-pod": FaultKind("kill-pod", "The Pod is deleted through the API, as by `kubectl delete pod`."),
}


def check_fault(fault: Fault) -> FaultKind:
    """The kind of a well-formed fault. Raises FaultInvalid or TargetInvalid with what to write instead."""
    kind = FAULTS.get(fault.kind)
    if kind is None:
        known = ", ".join(sorted(FAULTS))
        raise FaultInvalid(f"Fault {fault.id}: there is no kind {fault.kind!r} (yet); there is {known}.")
    parse_target(fault.target)
    if fault.pick not in ("one", "all") and not (isinstance(fault.pick, int) and fault.pick > 0):
        raise FaultInvalid(f"Fault {fault.id}: `pick` is one, all or a number from 1, not {fault.pick!r}.")
    if fault.grace is not None and not 0 <= fault.grace <= MOST_SECONDS:
        raise FaultInvalid(f"Fault {fault.id}: `grace` is 0 to {MOST_SECONDS:g} s, not {fault.grace:g}.")
    if not kind.is_lasting and fault.lasting is not None:
        raise FaultInvalid(f"Fault {fault.id}: {fault.kind} happens at once; leave `for` out.")
    return kind
