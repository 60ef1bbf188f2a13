"""Keeping what customers put somewhere, in bounded memory."""

from chandlery.text import safe_token

MOST_KEPT = 2000  # orders, or baskets; some 300 bytes each


def remember(kept: dict[str, object], name: str, value: object) -> None:
    """Keep a value; when there are too many, the oldest goes."""
    if name not in kept and len(kept) >= MOST_KEPT:
        del kept[next(iter(kept))]
    kept[name] = value


def fill(baskets: dict[str, dict[str, int]], name: str, items: dict[str, int]) -> dict[str, int]:
    """Put items into a basket, which is made when it is new; what is in it then."""
    basket = dict(baskets.get(name, {}))
    for item, pieces in items.items():
        basket[item] = basket.get(item, 0) + pieces
    remember(baskets, name, basket)
    return basket


def own_id(value: object, what: str) -> str:
    """An id that a customer chose. Raises ValueError."""
    if not isinstance(value, str) or not value or safe_token(value) != value:
        raise ValueError(f"{what}: send an id of your own, up to 64 letters, digits, dots and dashes")
    return value
