"""What the shop sells. Every form and every part of the shop has the same list."""

ITEMS = (
    {"id": "rope-12", "name": "Mooring rope, 12 mm", "kind": "rope", "unit": "m", "price": 3.4},
    {"id": "rope-20", "name": "Towing rope, 20 mm", "kind": "rope", "unit": "m", "price": 7.9},
    {"id": "lamp-anchor", "name": "Anchor lamp, white", "kind": "lamp", "unit": "piece", "price": 48.0},
    {"id": "lamp-side", "name": "Side lamps, red and green", "kind": "lamp", "unit": "pair", "price": 86.0},
    {"id": "chart-harbour", "name": "Harbour chart", "kind": "chart", "unit": "sheet", "price": 19.5},
    {"id": "chart-coast", "name": "Coast chart", "kind": "chart", "unit": "sheet", "price": 24.0},
)
IDS = frozenset(item["id"] for item in ITEMS)
MOST_OF_ONE = 1000  # pieces of one item in one order or basket


def wanted(value: object) -> dict[str, int]:
    """`{item id: pieces}` as a customer sent it. Raises ValueError with a sentence for the customer."""
    if not isinstance(value, dict) or not value:
        raise ValueError("items: send a map from item to number, such as {\"rope-12\": 1}")
    for name, pieces in value.items():
        if name not in IDS:
            raise ValueError(f"items: the shop has no {str(name)[:40]!r}")
        if not isinstance(pieces, int) or isinstance(pieces, bool) or not 1 <= pieces <= MOST_OF_ONE:
            raise ValueError(f"items: {name} must be a whole number from 1 to {MOST_OF_ONE}")
    return value
