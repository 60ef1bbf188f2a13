"""What may be said to a prediction or question, and what saying it means beside right and wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.record.checks.answers import as_number, as_seconds
from sandbox.record.exercise import Prediction

LONGEST_WAIT = 24 * 3600.0  # seconds; a longer one is a mistake in the unit
LARGEST = 1e15  # beyond it whole numbers are not exact any more
_NODE = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_OBJECT = re.compile(r"[A-Z][A-Za-z]{0,62}/[a-z0-9]([a-z0-9.:-]{0,251}[a-z0-9])?")


class ValueRefused(ValueError):
    """This cannot be an answer; the message is a sentence for the student."""


def read_value(spec: Prediction, value: Any) -> Any:
    """The value in its plain form (see `answers`). Raises ValueRefused.

    It is locked once and for all, so what cannot be an answer is not taken.
    """
    return _READERS[spec.answer](spec, value)


def why_of(spec: Prediction, value: Any) -> str | None:
    """What the author says to this answer, several sentences one after another; None when nothing."""
    said = list(dict.fromkeys(spec.why[key] for key in _keys(spec, value) if key in spec.why))
    return " ".join(said) or None


def misconceptions_of(spec: Prediction, value: Any) -> list[str]:
    """Ids of the misconceptions that this answer shows, in the order said."""
    known = spec.misconceptions
    return list(dict.fromkeys(known[key] for key in _keys(spec, value) if key in known))


def _keys(spec: Prediction, value: Any) -> Iterator[str]:
    """What `why` and `misconceptions` may name in this answer; of an order what was put first."""
    if spec.answer == "order":
        yield from map(str, value[:1])
    elif isinstance(value, dict):
        for given, choice in value.items():
            yield f"{given}/{choice}"
            yield str(choice)
    elif isinstance(value, list):
        yield from map(str, value)
    elif spec.answer in ("number", "duration"):
        near = {key: as_seconds(key) if spec.answer == "duration" else as_number(key) for key in _named(spec)}
        yield from (key for key, number in near.items() if number is not None and number == as_number(value))
    else:
        yield str(value)


def _named(spec: Prediction) -> dict[str, None]:
    return dict.fromkeys((*spec.why, *spec.misconceptions))


# --- one reader per kind -------------------------------------------------------------------------------
def _choice(spec: Prediction, value: Any) -> str:
    if not isinstance(value, str) or value not in spec.choices:
        raise ValueRefused("This is none of the answers to choose from. Choose one and try again.")
    return value


def _set(spec: Prediction, value: Any) -> list[str]:
    return _keys_of(spec, value, "Choose from the answers shown, each at most once.")


def _order(spec: Prediction, value: Any) -> list[str]:
    sentence = f"Put all {len(spec.choices)} in order: each of them once."
    keys = _keys_of(spec, value, sentence)
    if len(keys) != len(spec.choices):
        raise ValueRefused(sentence)
    return keys


def _keys_of(spec: Prediction, value: Any, sentence: str) -> list[str]:
    """Keys of the choices, none twice."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueRefused(sentence)
    if len(set(value)) < len(value) or not spec.choices.keys() >= set(value):
        raise ValueRefused(sentence)
    return list(value)


def _match(spec: Prediction, value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or value.keys() != spec.given.keys():
        raise ValueRefused(f"Choose one answer for each of the {len(spec.given)} lines.")
    return {given: _choice(spec, value[given]) for given in spec.given}


def _number(spec: Prediction, value: Any) -> float:
    number = as_number(value)
    if number is None or abs(number) > LARGEST:
        raise ValueRefused("Type a number, for example 3.")
    return _short(number)


def _duration(spec: Prediction, value: Any) -> float:
    seconds = as_seconds(value)
    if seconds is None or not 0 <= seconds <= LONGEST_WAIT:
        raise ValueRefused("Type how many seconds you expect, for example 12.")
    return _short(seconds)


def _short(number: float) -> float:
    """A whole number without its point: 3, not 3.0."""
    return int(number) if number.is_integer() else number


def _node(spec: Prediction, value: Any) -> str:
    return _formed(_NODE, value, "Click a node in the picture, or choose one from the list.")


def _object(spec: Prediction, value: Any) -> str:
    return _formed(_OBJECT, value, "Click an object in the picture, or choose one from the list.")


def _formed(form: re.Pattern[str], value: Any, sentence: str) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise ValueRefused(sentence)
    return value


def _curve(spec: Prediction, value: Any) -> list[float]:
    points = spec.points or len(spec.labels)
    sentence = f"Give {points} numbers, one for each point."
    if not isinstance(value, list) or len(value) != points:
        raise ValueRefused(sentence)
    numbers = [as_number(each) for each in value]
    if any(each is None or abs(each) > LARGEST for each in numbers):
        raise ValueRefused(sentence)
    return [_short(each) for each in numbers if each is not None]


_READERS: dict[str, Callable[[Prediction, Any], Any]] = {
    "choice": _choice,
    "set": _set,
    "order": _order,
    "match": _match,
    "number": _number,
    "duration": _duration,
    "node": _node,
    "object": _object,
    "curve": _curve,
}
