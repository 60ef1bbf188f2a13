"""The observer's own fixtures."""

from tests.sandbox.observing.shop import clock, shop

__all__ = ["clock", "shop"]
