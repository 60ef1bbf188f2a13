"""What all tiers share. The real product is started once, by its own command, for every tier above the fast one."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from bench.product import Product, running_product

TIERS = ("cluster", "browser", "faults")


def tier_of(item: pytest.Item) -> int:
    marks = {mark.name for mark in item.iter_markers()}
    return max((number for number, tier in enumerate(TIERS, 1) if tier in marks), default=0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first; what kills parts of the product last."""
    items.sort(key=tier_of)


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """The real product with its real cluster. `GLASSHULL_TEST_HOME` uses one that already runs."""
    if os.geteuid() != 0 and "GLASSHULL_TEST_HOME" not in os.environ:
        if os.environ.get("CI"):
            pytest.fail("The cluster tests need root; with CI set they may not be left out.")
        pytest.skip("needs root for the embedded cluster")
    with running_product() as made:
        yield made
