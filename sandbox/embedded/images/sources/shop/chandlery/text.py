"""JSON, durations, sizes and query strings, as far as the shop needs them."""

import _json  # the built-in scanner; the module `json` around it would cost a megabyte

_MOST_BRACKETS = 200
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "<": "\\u003c"}


def to_json(value: object) -> str:
    """JSON of dicts with string keys, lists, strings, numbers, booleans and None."""
    if isinstance(value, str):
        return '"' + "".join(_ESCAPES.get(c) or (c if c >= " " else f"\\u{ord(c):04x}") for c in value) + '"'
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{to_json(key)}: {to_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(to_json(item) for item in value) + "]"
    raise TypeError(f"no JSON for {type(value).__name__}")


class _Reading:
    """What the scanner wants to know."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = None  # NaN and Infinity are no JSON


_scan = _json.make_scanner(_Reading)


def from_json(text: str) -> object:
    """The value. Raises ValueError."""
    text = text.strip()
    if text.count("[") + text.count("{") > _MOST_BRACKETS:
        raise ValueError("it has too many brackets")  # each may nest, and a thread's stack is small
    try:
        value, end = _scan(text, 0)
    except (StopIteration, ValueError, TypeError, SystemError):
        # SystemError: the scanner misses `json` when it wants to name the place of an error.
        raise ValueError("it cannot be read") from None
    if end != len(text):
        raise ValueError("something follows its end")
    return value


def parse_size(text: str) -> float:
    """Bytes of `2Mi`, `512Ki` or a bare number. Raises ValueError."""
    for unit, factor in (("Ki", 1 << 10), ("Mi", 1 << 20)):
        if text.endswith(unit):
            size = float(text[: -len(unit)]) * factor
            break
    else:
        size = float(text)
    if not 0 <= size <= 1 << 30:
        raise ValueError(f"{text!r} is not between 0 and 1024Mi")
    return size


def parse_duration(text: str) -> float:
    """Seconds of `8s`, `300ms`, `2m` or a bare number of seconds. Raises ValueError."""
    for unit, factor in (("ms", 0.001), ("s", 1.0), ("m", 60.0)):
        if text.endswith(unit):
            seconds = float(text[: -len(unit)]) * factor
            break
    else:
        seconds = float(text)
    if not 0 <= seconds <= 3600:
        raise ValueError(f"{text!r} is not between 0 and 1 hour")
    return seconds


def parse_query(text: str) -> dict[str, str]:
    """The last value of every key."""
    pairs = (part.partition("=") for part in text.split("&") if part)
    return {unquote(key): unquote(value) for key, _, value in pairs}


def unquote(text: str) -> str:
    """Percent-decode; what is no valid escape stays as it is."""
    if "%" not in text:
        return text.replace("+", " ")
    first, *parts = text.replace("+", " ").encode().split(b"%")
    decoded = [first]
    for part in parts:
        try:
            decoded.append(bytes([int(part[:2], 16)]) + part[2:])
        except ValueError:
            decoded.append(b"%" + part)
    return b"".join(decoded).decode("utf-8", "replace")


def safe_token(text: str) -> str:
    """`text` if it can be echoed in a header (at most 64 of [A-Za-z0-9._-]), else nothing."""
    fits = len(text) <= 64 and all(c.isascii() and (c.isalnum() or c in "._-") for c in text)
    return text if fits else ""
