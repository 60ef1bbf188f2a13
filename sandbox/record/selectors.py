"""Label selectors, the whole syntax of `kubectl get -l`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

_KEY = r"[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?"
_SET = re.compile(rf"(?P<key>{_KEY})\s+(?P<op>in|notin)\s*\((?P<values>[^()]*)\)")
_EQUALS = re.compile(rf"(?P<key>{_KEY})\s*(?P<op>==|=|!=)\s*(?P<value>[A-Za-z0-9._-]*)")
_EXISTS = re.compile(rf"(?P<not>!?)\s*(?P<key>{_KEY})")
_COMMA = re.compile(r",(?![^()]*\))")


class SelectorInvalid(ValueError):
    """The text is no label selector; the message says which part."""


class _Requirement(NamedTuple):
    key: str
    values: frozenset[str] | None  # None: any value
    wanted: bool

    def holds(self, labels: Mapping[str, Any]) -> bool:
        present = self.key in labels
        if self.values is None:
            return present is self.wanted
        # As in Kubernetes: an absent label satisfies != and notin.
        return (present and labels[self.key] in self.values) is self.wanted


class Selector(NamedTuple):
    """All requirements must hold; none at all selects everything."""

    requirements: tuple[_Requirement, ...]

    def matches(self, labels: Mapping[str, Any]) -> bool:
        return all(each.holds(labels) for each in self.requirements)


@lru_cache(maxsize=1024)
def read_selector(text: str) -> Selector:
    """`app=x`, `app in (a, b)`, `!canary`, joined by commas. Raises SelectorInvalid."""
    if not text.strip():
        return Selector(())
    return Selector(tuple(_requirement(each.strip()) for each in _COMMA.split(text)))


def _requirement(text: str) -> _Requirement:
    if found := _SET.fullmatch(text):
        values = frozenset(each.strip() for each in found["values"].split(","))
        return _Requirement(found["key"], values, found["op"] == "in")
    if found := _EQUALS.fullmatch(text):
        return _Requirement(found["key"], frozenset({found["value"]}), found["op"] != "!=")
    if found := _EXISTS.fullmatch(text):
        return _Requirement(found["key"], None, not found["not"])
    raise SelectorInvalid(f'"{text}" is no label selector; write for example app=storefront or app in (a, b)')
