"""JSON, durations and query strings, as far as the shop needs them."""

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
