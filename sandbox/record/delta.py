"""The difference between two moments of a picture, and how differences add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

Item = dict[str, Any]
Items = dict[str, Item]

_ABSENT = object()


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """Changes of one entry (`first == seq`), or of all entries from `first` to `seq`.

    `set` holds changed fields only, by key; `gone` the keys that went. Merging is shallow (rule L2).
    """

    epoch: int
    seq: int
    at: float
    set: Items
    gone: tuple[str, ...] = ()
    first: int

    def frame(self) -> dict[str, Any]:
        """The frame as sent to a browser (live protocol, section 2)."""
        frame: dict[str, Any] = {"f": "delta", "epoch": self.epoch, "seq": self.seq, "at": self.at}
        if self.first != self.seq:
            frame["from"] = self.first
        frame["set"] = self.set
        frame["del"] = list(self.gone)
        return frame


def changed_fields(before: Mapping[str, Any] | None, after: Item) -> Item:
    """Fields of `after` that are new or differ; all of them when there was nothing before."""
    if before is None:
        return after
    return {key: value for key, value in after.items() if before.get(key, _ABSENT) != value}


def merge(deltas: Iterable[Delta]) -> Delta:
    """One delta with the effect of all, given in order. Raises ValueError when there is none.

    A key that went and came back is only set: items of one key always have the same fields, so the new
    ones overwrite all old ones.
    """
    set_: Items = {}
    gone: dict[str, None] = {}
    first: Delta | None = None
    last: Delta | None = None
    for delta in deltas:
        first = first or delta
        last = delta
        for key in delta.gone:
            set_.pop(key, None)
            gone[key] = None
        for key, fields in delta.set.items():
            gone.pop(key, None)
            known = set_.get(key)
            set_[key] = {**known, **fields} if known else fields
    if first is None or last is None:
        raise ValueError("there is no delta to merge")
    return Delta(epoch=last.epoch, seq=last.seq, at=last.at, set=set_, gone=tuple(gone), first=first.first)


def apply(items: Items, delta: Delta) -> Items:
    """The items after `delta`: what a browser does. Returns a new map; items are never changed in place."""
    after = {key: item for key, item in items.items() if key not in delta.gone}
    for key, fields in delta.set.items():
        after[key] = {**after.get(key, {}), **fields}
    return after
