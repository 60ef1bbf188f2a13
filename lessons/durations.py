"""Durations, quantities, rates and anchors: the small languages inside a lesson's values."""

from __future__ import annotations

import re
from typing import NamedTuple

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h))+\Z")
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_LONGEST = 24 * 3600.0  # a lesson of more than a day is a mistake in the unit
_MEMORY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(Ki|Mi|Gi|k|M|G)?\Z")
_MEMORY_UNITS = {None: 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_CPU = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m)?\Z")
_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?)/s\Z")
_ANCHOR = re.compile(r"([a-z][a-z0-9-]*?)(?:\.(start|end|pass))?(?:\+([0-9a-z.]+))?\Z")


def parse_duration(text: str) -> float:
    """Seconds of `250ms`, `30s`, `5m`, `1m30s`. Raises ValueError with a sentence."""
    if not _DURATION.match(text):
        raise ValueError(f'"{text}" is not a duration; write it like 250ms, 30s or 5m')
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    if seconds > _LONGEST:
        raise ValueError(f'"{text}" is longer than a day')
    return seconds


def parse_memory(text: str) -> int:
    """Bytes of `120Mi`. Raises ValueError with a sentence."""
    match = _MEMORY.match(text)
    if not match:
        raise ValueError(f'"{text}" is not an amount of memory; write it like 120Mi')
    return round(float(match[1]) * _MEMORY_UNITS[match[2]])


def parse_cpu(text: str) -> float:
    """Cores of `600m` or `0.5`. Raises ValueError with a sentence."""
    match = _CPU.match(text)
    if not match:
        raise ValueError(f'"{text}" is not an amount of CPU; write it like 600m')
    return float(match[1]) * (0.001 if match[2] else 1.0)


def parse_rate(text: str) -> float:
    """Requests per second of `12/s`. Raises ValueError with a sentence."""
    match = _RATE.match(text)
    if not match:
        raise ValueError(f'"{text}" is not a rate; write it like 12/s')
    return float(match[1])


class Anchor(NamedTuple):
    """A moment of the record: `kill.end+5s` is ("kill", "end", 5.0); `start` is ("start", "", 0.0)."""

    id: str
    edge: str
    plus: float


def parse_anchor(text: str) -> Anchor:
    """Raises ValueError with a sentence."""
    match = _ANCHOR.match(text)
    if not match:
        raise ValueError(f'"{text}" is not a moment; write it like kill.start+20s')
    plus = parse_duration(match[3]) if match[3] else 0.0
    return Anchor(match[1], match[2] or "", plus)
