"""Is what a student said right? `observed` is the list of all right answers, each in its plain form.

Plain forms: choice, node, object = text · set, order = list of texts · match = {text: text} · number = number ·
duration = seconds · curve = list of numbers.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}
_TOLERANCE = re.compile(r"(?:±|\+-|\+/-)?\s*(\d+(?:\.\d+)?)\s*(%|ms|s|m|h)?")
_ROUNDING = 1e-9  # what is lost when a number was written down and read again


class Tolerance(NamedTuple):
    """How far off still counts: `share` of the right value, or `amount` (a duration: seconds)."""

    share: float = 0.0
    amount: float = 0.0

    def allows(self, value: float, wanted: float) -> bool:
        return abs(value - wanted) <= abs(wanted) * self.share + self.amount + _ROUNDING


EXACT = Tolerance()


def read_tolerance(text: str | None) -> Tolerance:
    """Of `10%`, `±2`, `±500ms`. Raises ValueError with a sentence."""
    if text is None or not text.strip():
        return EXACT
    found = _TOLERANCE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f'"{text}" is no tolerance; write it like 10%, ±2 or ±2s')
    number = float(found[1])
    return Tolerance(share=number / 100) if found[2] == "%" else Tolerance(amount=number * _SECONDS[found[2]])


def is_right(answer: str, value: Any, observed: list[Any], tolerance: str | None = None) -> bool:
    """`answer` = kind of the prediction (lesson format 4.6). A value of a wrong shape is wrong, no error."""
    near = read_tolerance(tolerance)
    compare: Callable[[Any], bool] = {
        "number": lambda each: _near(as_number(value), as_number(each), near),
        "duration": lambda each: _near(as_seconds(value), as_seconds(each), near),
        "set": lambda each: _as_set(value) == _as_set(each) and _as_set(value) is not None,
        "curve": lambda each: _curve(value, each, near),
    }.get(answer, lambda each: bool(value == each))
    return any(compare(each) for each in observed)


def right_pairs(value: Any, observed: list[Any]) -> tuple[int, int]:
    """For `match`: pairs right, and pairs asked for, beside the best right answer."""
    maps = [each for each in observed if isinstance(each, dict)]
    if not isinstance(value, dict) or not maps:
        return 0, max((len(each) for each in maps), default=0)
    return max((sum(value.get(key) == wanted for key, wanted in each.items()), len(each)) for each in maps)


def plain_answers(answer: str, found: Any) -> list[Any] | None:
    """What `observed` gave, in plain forms; None when it is no list of answers of this kind."""
    if not isinstance(found, list):
        return None
    plain = [_PLAIN[answer](each) for each in found]
    return None if any(each is None for each in plain) else plain


def as_number(value: Any) -> float | None:
    """Of a number or its text; None for anything else, and for what no number of ours can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def as_seconds(value: Any) -> float | None:
    """Of a duration, a number of seconds or a text such as `500ms`."""
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, str) and (found := _DURATION.fullmatch(value.strip())):
        return as_number(float(found[1]) * _SECONDS[found[2]])
    return as_number(value)


def _near(value: float | None, wanted: float | None, near: Tolerance) -> bool:
    return value is not None and wanted is not None and near.allows(value, wanted)


def _as_set(value: Any) -> frozenset[str] | None:
    return frozenset(str(each) for each in value) if isinstance(value, list | tuple | set) else None


def _curve(value: Any, wanted: Any, near: Tolerance) -> bool:
    if not isinstance(value, list) or not isinstance(wanted, list) or len(value) != len(wanted):
        return False
    return all(_near(as_number(a), as_number(b), near) for a, b in zip(value, wanted, strict=True))


# --- plain forms ---------------------------------------------------------------------------------------
def _text(value: Any) -> str | None:
    """The key of a choice: texts, and numbers as they are written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, str | int | float) else None


def _texts(value: Any) -> list[str] | None:
    if not isinstance(value, list):
        return None
    texts = [_text(each) for each in value]
    return None if None in texts else [each for each in texts if each is not None]


def _map(value: Any) -> dict[str, str] | None:
    if not isinstance(value, dict):
        return None
    pairs = [(_text(key), _text(each)) for key, each in value.items()]
    known = {key: each for key, each in pairs if key is not None and each is not None}
    return known if len(known) == len(value) else None


def _numbers(value: Any) -> list[float] | None:
    if not isinstance(value, list):
        return None
    numbers = [as_number(each) for each in value]
    return None if None in numbers else [each for each in numbers if each is not None]


def _node(value: Any) -> str | None:
    """A Node of the record or its name."""
    return _name(value) if isinstance(value, dict) else _text(value)


def _object(value: Any) -> str | None:
    """An object of the record, or "Kind/name"."""
    if not isinstance(value, dict):
        return _text(value)
    kind, name = value.get("kind"), _name(value)
    return f"{kind}/{name}" if kind and name else None


def _name(value: dict[str, Any]) -> str | None:
    metadata = value.get("metadata")
    return _text(metadata.get("name")) if isinstance(metadata, dict) else None


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "choice": _text,
    "node": _node,
    "object": _object,
    "set": _texts,
    "order": _texts,
    "match": _map,
    "number": as_number,
    "duration": as_seconds,
    "curve": _numbers,
}
