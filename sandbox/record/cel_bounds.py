"""How much an expression could cost at worst (lesson format 4.3, "Cost bound")."""

from __future__ import annotations

from sandbox.record.cel_names import is_macro
from sandbox.record.cel_syntax import Node

MOST_CHARACTERS = 1_000
MOST_NODES = 200
MOST_NESTED = 3
MOST_ITERATIONS = 8_000  # the runtime stops an evaluation at 10,000
OTHERS = 12  # objects of every kind but Pod, and items of a list inside an object
_PODS = frozenset({"pods", "readyPods", "endpoints"})
_LOOPS = frozenset({"all", "exists", "exists_one", "existsOne", "filter", "map"})


def nodes(tree: Node) -> int:
    return sum(1 for _ in tree.walk())


def nested(tree: Node) -> int:
    """How deep loops stand in one another. A loop that only feeds another stands beside it."""
    if not _is_loop(tree):
        return max((nested(part) for part in tree.parts), default=0)
    inside = max((nested(part) for part in tree.parts[2:]), default=0)
    return max(nested(tree.parts[0]), 1 + inside)


def iterations(tree: Node, pods: int) -> int:
    """Loop iterations at worst, with twice `pods` Pods."""
    if not _is_loop(tree):
        return sum(iterations(part, pods) for part in tree.parts)
    inside = sum(iterations(part, pods) for part in tree.parts[2:])
    return iterations(tree.parts[0], pods) + _size(tree.parts[0], pods) * (1 + inside)


def _is_loop(node: Node) -> bool:
    return is_macro(node) and node.text in _LOOPS


def _size(node: Node, pods: int) -> int:
    """Items at worst in what `node` gives."""
    if node.form == "group":
        return _size(node.parts[0], pods)
    if node.form == "list":
        return len(node.parts)
    if node.form == "choice":
        return max(_size(node.parts[1], pods), _size(node.parts[2], pods))
    if node.form == "binary" and node.text == "+":
        return _size(node.parts[0], pods) + _size(node.parts[1], pods)
    if _is_loop(node) and node.text in ("filter", "map"):
        return _size(node.parts[0], pods)
    return 2 * pods if _gives_pods(node) else OTHERS


def _gives_pods(node: Node) -> bool:
    if node.form != "call" or node.member:
        return False
    return node.text in _PODS or (node.text == "objects" and node.parts[0].string == "Pod")
