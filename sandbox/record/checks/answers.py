"""Is a prediction right? `observed` is the list of all right answers."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}


def is_right(answer: str, value: Any, observed: list[Any], tolerance: str | None = None) -> bool:
    """`answer` = kind of the prediction (lesson format 4.6). A value of a wrong shape is wrong, no error."""
    compare: Callable[[Any], bool] = {
        "number": lambda each: _near(_number(value), _number(each), tolerance),
        "duration": lambda each: _near(_seconds(value), _seconds(each), tolerance),
        "set": lambda each: _as_set(value) == _as_set(each) and _as_set(value) is not None,
        "curve": lambda each: _curve(value, each, tolerance),
    }.get(answer, lambda each: bool(value == each))
    return any(compare(each) for each in observed)


def right_pairs(value: Any, observed: list[Any]) -> tuple[int, int]:
    """For `match`: pairs right, and pairs asked for, beside the best right answer."""
    maps = [each for each in observed if isinstance(each, dict)]
    if not isinstance(value, dict) or not maps:
        return 0, max((len(each) for each in maps), default=0)
    return max((sum(value.get(key) == wanted for key, wanted in each.items()), len(each)) for each in maps)


def _near(value: float | None, wanted: float | None, tolerance: str | None) -> bool:
    if value is None or wanted is None:
        return False
    text = (tolerance or "").strip()
    if text.endswith("%"):
        return abs(value - wanted) <= abs(wanted) * float(text[:-1]) / 100
    allowed = _seconds(text.lstrip("±+-").strip()) if text else 0.0
    return abs(value - wanted) <= (allowed or 0.0) + 1e-9


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    try:
        return float(str(value))
    except ValueError:
        return None


def _seconds(value: Any) -> float | None:
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, str) and (found := _DURATION.fullmatch(value.strip())):
        return float(found[1]) * _SECONDS[found[2]]
    return _number(value)


def _as_set(value: Any) -> frozenset[str] | None:
    return frozenset(str(each) for each in value) if isinstance(value, list | tuple | set) else None


def _curve(value: Any, wanted: Any, tolerance: str | None) -> bool:
    if not isinstance(value, list) or not isinstance(wanted, list) or len(value) != len(wanted):
        return False
    return all(_near(_number(a), _number(b), tolerance) for a, b in zip(value, wanted, strict=True))
