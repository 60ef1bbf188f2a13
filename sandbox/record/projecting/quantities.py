"""Kubernetes quantities and times as plain numbers."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

_SUFFIXES = {
    "": 1.0,
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
    "Pi": 2.0**50,
    "Ei": 2.0**60,
}
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,3})|([a-zA-Z]{0,2}))")


@lru_cache(maxsize=4096)
def read_quantity(text: str) -> float:
    """`64Mi` -> 67108864.0, `100m` -> 0.1. Raises ValueError for what Kubernetes would refuse."""
    found = _QUANTITY.fullmatch(text)
    if found is None:
        raise ValueError(f'"{text}" is not a quantity; write for example 64Mi or 100m')
    number, exponent, suffix = found.groups()
    if exponent:
        return float(number + exponent)
    if suffix not in _SUFFIXES:
        raise ValueError(f'"{text}" has the unknown unit "{suffix}"; write for example 64Mi or 100m')
    return float(number) * _SUFFIXES[suffix]


@lru_cache(maxsize=4096)
def read_time(text: str) -> float:
    """An RFC 3339 time as Unix seconds. Raises ValueError."""
    return dt.datetime.fromisoformat(text).timestamp()
