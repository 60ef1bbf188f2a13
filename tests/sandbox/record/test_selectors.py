from __future__ import annotations

import pytest

from sandbox.record.selectors import SelectorInvalid, read_selector

LABELS = {"app": "storefront", "tier": "gold", "app.kubernetes.io/name": "shop"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("app=storefront", True),
        ("app==storefront", True),
        ("app=other", False),
        ("app!=other", True),
        ("none!=other", True),
        ("app in (a, storefront)", True),
        ("app in (a,b)", False),
        ("app notin (a,b)", True),
        ("none notin (a)", True),
        ("app", True),
        ("none", False),
        ("!none", True),
        ("! app", False),
        ("app=storefront,tier in (gold,silver),!none", True),
        ("app=storefront, tier=silver", False),
        ("app.kubernetes.io/name=shop", True),
        ("none=", False),
    ],
)
def test_matches(text: str, expected: bool) -> None:
    assert read_selector(text).matches(LABELS) is expected


@pytest.mark.parametrize("text", ["=", "a b", "a in", "a in (b", "a=b=c", "a,,b", "(a)"])
def test_what_is_no_selector(text: str) -> None:
    with pytest.raises(SelectorInvalid, match="no label selector"):
        read_selector(text)
