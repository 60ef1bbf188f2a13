"""Values that differ from student to student: drawn from a seed, the same again for the same seed."""

from __future__ import annotations

import hashlib
import hmac
import itertools
from collections.abc import Mapping
from typing import Any

from lessons.durations import parse_memory
from sandbox.record.exercise import Exercise

GENERATORS = ("int", "pick", "name", "port", "quantity")
SHIPS = (
    "alba",
    "bora",
    "carina",
    "dione",
    "elara",
    "fjord",
    "gale",
    "halcyon",
    "iris",
    "juno",
    "kestrel",
    "lyra",
)
PORTS = (20_000, 29_999)  # clear of the apps' own ports and of node ports
MOST_EDGES = 16


def params_for(exercise: Exercise, seed: bytes) -> dict[str, Any]:
    """One value per variant, from the seed and its own name alone: adding a variant moves no other."""
    return {name: _draw(generator, _number(seed, name)) for name, generator in exercise.variants.items()}


def edges_for(exercise: Exercise) -> list[dict[str, Any]]:
    """First and last value of every variant in all combinations (at most 16): what a proof must try."""
    names = list(exercise.variants)
    ends = [_ends(_values(exercise.variants[name])) for name in names]
    product = itertools.islice(itertools.product(*ends), MOST_EDGES)
    return [dict(zip(names, values, strict=True)) for values in product]


def generator_error(generator: Mapping[str, Any]) -> str:
    """Why this is not a generator, or an empty string."""
    if len(generator) != 1:
        return f"exactly one of {', '.join(GENERATORS)} is needed"
    (kind, value), *_ = generator.items()
    if kind == "int" and not (_is_pair(value, int) and value[0] <= value[1]):
        return "int: expected [least, most]"
    if kind == "pick" and not (
        isinstance(value, list) and value and all(isinstance(v, str | int) for v in value)
    ):
        return "pick: expected a list of values"
    if kind == "quantity":
        return _quantity_error(value)
    return ""


def _quantity_error(value: Any) -> str:
    if not (isinstance(value, list) and value and all(isinstance(v, str) for v in value)):
        return "quantity: expected a list such as [32Mi, 48Mi]"
    try:
        for each in value:
            parse_memory(each)
    except ValueError as error:
        return str(error)
    return ""


def _is_pair(value: Any, kind: type) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(each) is kind for each in value)


def _number(seed: bytes, name: str) -> int:
    return int.from_bytes(hmac.digest(seed, name.encode(), hashlib.sha256)[:8], "big")


def _values(generator: Mapping[str, Any]) -> range | list[Any]:
    (kind, value), *_ = generator.items()
    if kind == "int":
        return range(value[0], value[1] + 1)
    if kind == "port":
        return range(PORTS[0], PORTS[1] + 1)
    return list(SHIPS) if kind == "name" else list(value)


def _draw(generator: Mapping[str, Any], number: int) -> Any:
    values = _values(generator)
    return values[number % len(values)]


def _ends(values: range | list[Any]) -> list[Any]:
    return [values[0]] if len(values) == 1 else [values[0], values[-1]]
