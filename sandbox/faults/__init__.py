"""Typed, seeded faults. What may be injected is in `registry`, at what in `targets`, how in one file each."""

from sandbox.faults.killing import kill_pod
from sandbox.faults.registry import FAULTS, check_fault
from sandbox.faults.targets import Target, TargetInvalid, parse_target, pick_target
from sandbox.record.fault_kinds import FaultKind

__all__ = [
    "FAULTS",
    "FaultKind",
    "Target",
    "TargetInvalid",
    "check_fault",
    "kill_pod",
    "parse_target",
    "pick_target",
]
