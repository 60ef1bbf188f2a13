"""In which order a student sees the choices: their own, the same again after a reload, and no hint at all."""

from __future__ import annotations

import hashlib
import hmac

from sandbox.record.exercise import Prediction

FEW = 3  # of fewer, leaving out one arrangement would tell the other


def shown_choices(asked: Prediction, seed: bytes) -> list[tuple[str, str]]:
    """(key, text) of all choices, shuffled by the seed and the question's own id.

    What is to be put in order is never shown as it stands in the file: that is often the right order.
    """
    written = list(asked.choices.items())
    shown = sorted(written, key=lambda choice: _rank(seed, asked.id, choice[0]))
    if asked.answer == "order" and shown == written and len(shown) >= FEW:
        return [*shown[1:], shown[0]]
    return shown


def plain_choices(asked: Prediction) -> list[str]:
    """The texts for a page without a student: by alphabet, which tells nothing either."""
    return sorted(asked.choices.values(), key=str.casefold)


def _rank(seed: bytes, asked: str, choice: str) -> bytes:
    return hmac.new(seed, f"{asked}\0{choice}".encode(), hashlib.sha256).digest()
