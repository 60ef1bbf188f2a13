"""What release 1.0 shows beside the goods: nothing yet."""


def extra(now: float) -> str:
    """HTML below the price list, at `now` in seconds since 1970."""
    return ""


def pages() -> dict[str, object]:
    """Pages that only this release has."""
    return {}
