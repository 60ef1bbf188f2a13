"""Label selectors and targets, as text: are they well formed?"""

from __future__ import annotations

import re

_KEY = r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?"
_VALUE = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_EQUAL = re.compile(rf"{_KEY}\s*(?:==?|!=)\s*(?:{_VALUE}|\$\{{[a-z.0-9-]+\}})\Z")
_AMONG = re.compile(rf"{_KEY}\s+(?:in|notin)\s+\(\s*{_VALUE}(?:\s*,\s*{_VALUE})*\s*\)\Z")
_COMMA = re.compile(r",(?![^(]*\))")
_NAME = re.compile(r"[a-z0-9*](?:[a-z0-9.*-]*[a-z0-9*])?\Z")
_NAMED_KINDS = frozenset(
    {
        "pod",
        "node",
        "service",
        "component",
        "container",
        "wall",
        "layer",
        "queue",
        "span",
        "side",
        "deployment",
    }
)
_SELECTED_KINDS = frozenset({"pod"})
_WHOLE = frozenset({"node:*", "node:empty"})


def selector_error(selector: str) -> str:
    """Why the label selector is wrong, or an empty string."""
    for part in _COMMA.split(selector):
        if not (_EQUAL.match(part.strip()) or _AMONG.match(part.strip())):
            return f'selector "{selector}": write key=value, such as app=storefront'
    return ""


def target_error(target: str) -> str:
    """Why the target is wrong, or an empty string. The kinds are those of the format, section 3.1."""
    if target in _WHOLE:
        return ""
    if target.startswith("edge:"):
        start, arrow, end = target.removeprefix("edge:").partition("->")
        return (
            ""
            if arrow and not target_error(start) and end
            else f'target "{target}": write edge:service/NAME->pod'
        )
    if target.startswith("holder:lease/"):
        return (
            "" if _NAME.match(target.removeprefix("holder:lease/")) else f'target "{target}": name the Lease'
        )
    kind, colon, selector = target.partition(":")
    if colon:
        if kind not in _SELECTED_KINDS or selector_error(selector):
            return f'target "{target}": write pod:app=…, pod/NAME or service/NAME'
        return ""
    kind, slash, name = target.partition("/")
    if slash and kind in _NAMED_KINDS and _NAME.match(name):
        return ""
    return f'target "{target}": write pod:app=…, pod/NAME or service/NAME'
